import assert from "node:assert/strict";
import { test } from "node:test";
import { readStatements } from "../coverage.ts";
import { readLcov } from "./lcov.ts";

test("lcov is read file by file, with what was missed", () => {
  const text = `TN:
SF:contracts/A.sol
DA:3,7
DA:4,0
BRDA:4,0,0,-
BRDA:4,0,1,0
BRDA:9,1,0,2
end_of_record
TN:
SF:contracts/B.sol
DA:1,1
end_of_record
`;
  const files = readLcov(text);
  assert.deepEqual(files.get("contracts/A.sol"), {
    lines: { found: 2, hit: 1, missed: [4] },
    branches: { found: 3, hit: 1, missed: [4, 4] },
  });
  assert.deepEqual(files.get("contracts/B.sol")?.branches, { found: 0, hit: 0, missed: [] });
});

test("statements are read from the table that people see", () => {
  const table = `║ File Path                    │ Line % │ Statement % │ Uncovered Lines ║
║ contracts/base/Datasets.sol  │ 100.00 │ 100.00      │ -               ║
║ contracts/types/JobState.sol │ 98.67  │ 97.14       │ 264             ║
║ Total                        │ 84.76  │ 85.98       │                 ║`;
  assert.deepEqual(readStatements(table), [
    { file: "contracts/base/Datasets.sol", percent: 100 },
    { file: "contracts/types/JobState.sol", percent: 97.14 },
  ]);
});
