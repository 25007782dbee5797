import { openDatabase } from "../database/open.ts";

// Opens a state and keeps it until killed; says how it went.
try {
  openDatabase(process.argv[2] as string);
  process.stdout.write("opened\n");
  setInterval(() => {}, 1000);
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code}\n`);
}
