export default function P(): undefined { return undefined; }
