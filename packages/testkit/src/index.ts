export * from "./assert-code.ts";
export * from "./builders.ts";
export * from "./clock.ts";
export * from "./deadline.ts";
export * from "./logger.ts";
export * from "./random.ts";
