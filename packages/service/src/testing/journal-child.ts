import { inTransaction } from "@quorate/chain/sqlite";
import { openDatabase } from "../database/open.ts";
import { createJournal } from "../journal/journal.ts";

// Appends numbers for ever, beside a row in a table of its own, and says each number once it is durable.
const [path] = process.argv.slice(2);
const db = openDatabase(path as string, { migrations: ["CREATE TABLE effect (n INTEGER PRIMARY KEY) STRICT"] });
const journal = createJournal<{ last: number }, { n: number }>(db, {
  name: "kill",
  initial: { last: 0 },
  reduce: (_, entry) => ({ last: entry.n }),
  snapshotEvery: 7,
});
const effect = db.prepare("INSERT INTO effect VALUES (?)");
process.stdout.write(`open ${journal.state().last}\n`);
for (let n = journal.state().last + 1; ; n += 1) {
  inTransaction(db, () => {
    effect.run(n);
    journal.append({ n });
  });
  process.stdout.write(`${n}\n`);
  if (n % 50 === 0) {
    journal.compact();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
