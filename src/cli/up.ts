import { resolve } from 'node:path'
import type { Command } from 'commander'
import { toFault } from '../kernel/fault.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'
import { findRunningHouse, notRunning } from './connection/running-house.ts'

export function register(program: Command, cli: Cli): void {
  addCommand<{ house?: string; units?: boolean }>(program, cli, {
    usage: 'up',
    summary: 'Start the house and keep it running until Ctrl-C or `castellan down`',
    configure: (command) => void command
      .option('--house <folder>', 'the folder that you own (default: $CASTELLAN_HOUSE, else house in the home)')
      .option('--units', 'start no processes, for each is a unit of its own; what castellan.service calls'),
    async run({ home, options, io }) {
      const { runUp } = await import('../processes/run-up.ts')
      const write = (line: string) => {
        if (options.json !== true) io.stdout.write(`${line}\n`)
      }
      await runUp({ home, write, isWatched: io.stdout.isTTY === true, units: options.units === true, ...(options.house !== undefined && { house: resolve(options.house) }) })
      return outcome({ state: 'down', home }, () => '')
    },
  })
}

export function registerDown(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'down',
    summary: 'Stop the house: what is under way is finished first',
    changes: true,
    async run({ home, options }) {
      if (options.dryRun) return outcome({ state: 'dry_run', would: `would stop process ${findRunningHouse(home).pid}` }, (data) => data.would)
      const { down } = await import('../processes/down.ts')
      const { pid } = await down(home).catch((error: unknown) => {
        throw toFault(error).code === 'up.absent' ? notRunning(home) : error
      })
      return outcome({ state: 'down', pid, home }, () => 'Castellan has stopped.')
    },
  })
}
