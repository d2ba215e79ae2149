import { join } from 'node:path'
import type { Command } from 'commander'
import { initHouse } from '../house/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'init [folder]',
    summary: 'Make a house of your own out of the starter house, under git',
    changes: true,
    async run({ args, options, home }) {
      const folder = args[0] ?? join(home, 'house')
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would make a house in ${folder}` }, (data) => data.would)
      const made = await initHouse(folder)
      const start = args[0] === undefined ? 'castellan up' : `castellan up --house ${made.folder}`
      return outcome({ state: 'made', ...made }, (data) => `Made a house in ${data.folder}${data.git ? ', under git' : ''}. It is yours: text files, read again by castellan reload.\nStart it: ${start}`)
    },
  })
}
