import { network } from "hardhat";
import { ethers } from "ethers";
const { ethers: he } = await (network as any).create({ override: { allowUnlimitedContractSize: true } });
const N = Number(process.env.N ?? 3), MODE = process.env.MODE ?? "carried";
const prov: any = he.provider;
const signers = await he.getSigners();
const deployer = signers[0];
let F = await he.getContractFactory("JobMarket");
if (process.env.YUL) { const y = JSON.parse((await import("node:fs")).readFileSync(process.env.YUL!, "utf8")); F = new ethers.ContractFactory(F.interface, y.bytecode, deployer) as any; }
const market: any = await (await F.deploy(300, 604800)).waitForDeployment();
const token = await (await he.getContractFactory("TestToken")).deploy("T", "T", 18);
const maddr = await market.getAddress(), taddr = await token.getAddress();
const chainId = 31337n;
const domain = { name: "Quorate", version: "1", chainId, verifyingContract: maddr };
const reqT = { Request: "address requester,address token,bytes32 packageHash,bytes32 contentHash,bytes32 requirementsHash,bytes32 encryptionKey,uint96 priceCeiling,uint96 bond,uint96 carrierFee,uint8 seats,uint8 quorum,uint8 spares,uint8 shadows,uint16 calloutBps,uint16 standbyBps,uint32 commitWindow,uint32 revealWindow,uint32 flags,address callback,uint32 callbackGas,uint40 expiry,uint256 nonce".split(",").map(x => ({ type: x.split(" ")[0], name: x.split(" ")[1] })) };
const t = (s: string) => s.split(",").map(x => ({ type: x.split(" ")[0], name: x.split(" ")[1] }));
const offT = { Offer: t("bytes32 jobId,address provider,uint96 price,bytes32 encryptionKey,uint8 roles,uint40 expiry") };
const comT = { Commitment: t("bytes32 jobId,address provider,uint8 outcome,bytes32 resultHash,bytes32 salt") };
const scT = { SignedCommitment: t("bytes32 jobId,address provider,bytes32 commitment") };
const requester = signers[1]; const carrier = signers[1];
const providers = signers.slice(2, 2 + N), agents = signers.slice(10, 10 + N);
for (const s of [requester, ...providers]) {
  await (await token.mint(s.address, 10n ** 24n)).wait();
  await (await token.connect(s).approve(maddr, 10n ** 24n)).wait();
  await (await market.connect(s).deposit(taddr, s.address, 10n ** 22n)).wait();
}
for (let i = 0; i < N; i++) await (await market.connect(providers[i]).authorize(agents[i].address, taddr, 10n ** 20n, 300, 4102444800)).wait();
const rnd = () => ethers.hexlify(ethers.randomBytes(32));
let second = false;
async function job() {
  const now = (await prov.getBlock("latest")).timestamp;
  const q = { requester: requester.address, token: taddr, packageHash: rnd(), contentHash: rnd(), requirementsHash: rnd(), encryptionKey: rnd(), priceCeiling: 10n ** 18n, bond: 5n * 10n ** 17n, carrierFee: 10n ** 15n, seats: N, quorum: Math.floor(N / 2) + 1, spares: 0, shadows: 0, calloutBps: 1000, standbyBps: 500, commitWindow: 3600, revealWindow: 3600, flags: 0, callback: ethers.ZeroAddress, callbackGas: 0, expiry: now + 3600, nonce: BigInt(rnd()) };
  const jobId = ethers.TypedDataEncoder.hash(domain, reqT, q);
  const offers = [] as any[];
  for (let i = 0; i < N; i++) {
    const o = { jobId, provider: providers[i].address, price: 10n ** 18n - BigInt(i), encryptionKey: rnd(), roles: 7, expiry: now + 3600 };
    offers.push({ ...o, signature: await agents[i].signTypedData(domain, offT, o), keyWrap: ethers.hexlify(ethers.randomBytes(80)) });
  }
  const g: bigint[] = [];
  const send = async (p: Promise<any>) => { const tx = await p; const r = await tx.wait(); g.push(r.gasUsed);
    if (process.env.TRACE && second) { const d = ethers.getBytes(tx.data); let nz = 0; for (const b of d) if (b) nz++; const cd = nz*16 + (d.length-nz)*4;
      const tr = await prov.send("debug_traceTransaction", [tx.hash, { disableMemory: true, disableStack: true, disableStorage: true }]);
      (await import("node:fs")).writeFileSync("/tmp/tr" + g.length + ".json", JSON.stringify(tr.structLogs.filter((l: any) => l.depth === 1).map((l: any) => [l.pc, l.op, l.gasCost]))); const by: Record<string, [number, number]> = {}; let tot = 0;
      for (const l of tr.structLogs) { const c = l.gasCost; const e = (by[l.op] ??= [0, 0]); e[0]++; e[1] += c; tot += c; }
      console.log("bytes", d.length, "nz", nz, "calldata", cd, "used", String(r.gasUsed), "exec", tot);
      console.log(Object.entries(by).sort((a, b) => b[1][1] - a[1][1]).slice(0, 16).map(([k, v]) => `${k}:${v[0]}x=${v[1]}`).join(" "));
    } return r; };
  await send(market.connect(requester).open(q, 0, offers));
  const terms = { requester: q.requester, token: taddr, bond: q.bond, carrierFee: q.carrierFee, seats: N, quorum: q.quorum, spares: 0, calloutBps: q.calloutBps, standbyBps: q.standbyBps, commitWindow: 3600, revealWindow: 3600, places: offers.map(o => ({ provider: o.provider, price: o.price })) };
  const resultHash = rnd();
  const openings = offers.map((o, i) => ({ place: i, outcome: 1, resultHash, salt: rnd() }));
  const coms = offers.map((o, i) => ({ place: i, commitment: ethers.TypedDataEncoder.hash(domain, comT, { jobId, provider: o.provider, outcome: 1, resultHash, salt: openings[i].salt }) }));
  if (MODE === "carried") {
    const items = [] as any[];
    for (let i = 0; i < N; i++) items.push({ ...coms[i], signature: await agents[i].signTypedData(domain, scT, { jobId, provider: offers[i].provider, commitment: coms[i].commitment }) });
    await send(market.connect(carrier).commitBySig(jobId, terms, items));
  } else for (let i = 0; i < N; i++) await send(market.connect(agents[i]).commit(jobId, terms, i, coms[i].commitment));
  await send(market.connect(carrier).reveal(jobId, terms, coms, openings));
  const res = await market.resultOf(jobId);
  if (res[0] !== 4n) throw new Error("not accepted " + res);
  return g;
}
await job(); second = true;
const g = await job();
console.log(MODE, "n=" + N, g.map(String).join(" + "), "=", String(g.reduce((a, b) => a + b, 0n)));
