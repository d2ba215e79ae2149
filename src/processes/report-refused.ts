import type { Fault } from '../kernel/fault.ts'
import { suspicionOf, type Reporter } from '../health/index.ts'
import type { OutboxDeps } from '../outbox/change.ts'

/** Whatever cannot be frozen is an act that was stopped; of the rest only what no mistake looks like. Only connectors that are declared are named. */
export function reportRefused(reporter: Reporter, isDeclared: (connector: string) => boolean): NonNullable<OutboxDeps['onRefused']> {
  return (fault: Fault, connector, at) => {
    const subject = connector !== undefined && isDeclared(connector) ? connector : at === 'freeze' ? 'others' : 'drafts'
    if (at === 'freeze' && suspicionOf(fault) === undefined && fault.kind !== 'internal') reporter.note('injection.stopped', subject, { code: fault.code })
    else reporter.fault(fault, subject)
  }
}

/** A seal that fails because the chain is not what it was is no weather; the first that succeeds says that it is over. */
export function watchSealing(reporter: Reporter): (seal: () => Promise<unknown>) => Promise<void> {
  let failed = true
  return async (seal) => {
    try {
      await seal()
      if (failed) reporter.over('audit.broken', 'sealing')
      failed = false
    } catch (error) {
      failed = true
      reporter.fault(error, 'sealing')
      throw error
    }
  }
}
