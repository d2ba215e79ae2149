import type { House } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { readAlertsSilent } from '../read/alerts-silent.ts'
import type { Examination } from './doctor.ts'

export interface AlertsDeps {
  readonly database: Pick<Database, 'pool'>
  readonly house: () => Pick<House, 'settings'>
}

/** Would somebody be told of a security alert who does not look? */
export function alertsExamination({ database, house }: AlertsDeps): Examination {
  return {
    id: 'alerts',
    mend: 'castellan alerts list',
    async look() {
      const silent = await readAlertsSilent(database, house())
      if (silent === null) return { status: 'ok', what: 'security alerts reach you' }
      return { status: 'warn', what: `security alerts reach nobody: ${silent.why}; they wait until they can be told`, mend: silent.mend }
    },
  }
}
