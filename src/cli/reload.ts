import type { Command } from 'commander'
import { describeProblem, type Problem } from '../house/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome } from './command/outcome.ts'

interface Reloaded {
  fresh: boolean
  digest: string
  problems: Problem[]
}

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'reload',
    summary: 'Read the house folder again; with errors in it, the house goes on as it was',
    changes: true,
    async run({ server, house, options }) {
      const { house: folder } = house()
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would read ${folder} again` }, (data) => `${data.would}; castellan config check says what is wrong with it`)
      const { fresh, ...found } = await (await server()).post<Reloaded>('/api/reload')
      const failure = fresh ? undefined : { exit: exitCodes.configuration, code: 'house.broken', message: 'the house has errors, so it goes on as it was' }
      return outcome({ state: fresh ? 'loaded' : 'kept', ...found }, (data) => [
        ...data.problems.map(describeProblem),
        `${data.state === 'loaded' ? 'Loaded' : 'Kept'} the house with digest ${data.digest.slice(0, 12)}.`,
      ].join('\n'), failure)
    },
  })
}
