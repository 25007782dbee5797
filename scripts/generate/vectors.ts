import type { GeneratedFile } from "./output.ts";
export async function generateVectors(): Promise<readonly GeneratedFile[]> {
  return [];
}
