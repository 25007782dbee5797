import { toContractError } from "../errors.ts";

/**
 * Awaits a read of the chain and gives its failure a stable code.
 *
 * @param reading What a viem action returned.
 * @throws `ContractRefused`; RetryableError `NODE_UNREACHABLE`, `NODE_REFUSED`.
 */
export async function read<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    throw toContractError(error);
  }
}
