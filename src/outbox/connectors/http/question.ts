import { Fault, toFault } from '../../../kernel/fault.ts'

/** What is asked before a delivery changes nothing at the other side, however the question ended. @throws Fault `connector.try_again` where an act would be left open */
export async function question<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const fault = toFault(error)
    throw fault.code === 'connector.unknown' ? new Fault('unavailable', 'connector.try_again', fault.message, fault.details, error) : fault
  }
}

/** What is asked while a proposal is frozen: another side that does not answer refuses this one, and must not keep the others from being frozen. */
export async function dryRun<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    const fault = toFault(error)
    throw fault.kind === 'unavailable' || fault.kind === 'timeout' ? new Fault('refused', fault.code, `${fault.message}; propose it again later`, {}, error) : fault
  }
}
