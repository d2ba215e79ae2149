import type { Database } from '../../kernel/database/connect.ts'
import type { House } from '../../house/index.ts'
import { unsignedMachines } from '../read/upstreams.ts'
import type { Examination } from './doctor.ts'

export interface OwnMachinesDeps {
  readonly database: Pick<Database, 'pool'>
  readonly house: () => Pick<House, 'settings'>
}

/** Are the machines that castellan.yaml calls the operator's own signed to be that, at the addresses that they have now? */
export function ownMachinesExamination({ database, house }: OwnMachinesDeps): Examination {
  return {
    id: 'machines',
    mend: 'castellan model own NAME',
    async look() {
      const unsigned = await unsignedMachines(database, house())
      if (unsigned.length > 0) return unsigned.map((name) => ({ status: 'warn', what: `${name} counts as a machine of the mesh, P2 at most: nobody has signed that it is your own`, mend: `castellan model own ${name}` }))
      const own = house().settings.models.upstreams.filter((one) => one.own)
      return { status: 'ok', what: own.length === 0 ? 'no other machine is said to be your own' : `${own.map(({ name }) => name).join(', ')}: signed to be your own` }
    },
  }
}
