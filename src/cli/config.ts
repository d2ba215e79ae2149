import { resolve } from 'node:path'
import type { Command } from 'commander'
import { describeProblem, explainKey, type Explanation, type Problem } from '../house/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { findRunningHouse } from './connection/running-house.ts'
import { pairs } from './terminal/table.ts'
import type { Terminal } from './terminal/terminal.ts'
import { counted } from './terminal/wording.ts'

export function register(program: Command, cli: Cli): void {
  const config = program.command('config').description('The house folder: what is wrong with it, what a key means')

  addCommand(config, cli, {
    usage: 'check [folder]',
    summary: 'Every problem of the house, with its place and what would be right; needs no running house',
    run: check,
  })

  addCommand<{ house?: string }>(config, cli, {
    usage: 'explain <key>',
    summary: 'A key of castellan.yaml: its value, where that comes from, what it means',
    configure: (command) => void command.option('--house <folder>', 'the house folder'),
    async run({ args, options, home, io }) {
      const found = await explainKey(await folderOf({ home, asked: options.house }), args[0]!, { env: io.env })
      return outcome(found, explanationText)
    },
  })
}

async function check({ args, home }: Invocation): Promise<Outcome> {
  const { readHouse } = await import('../processes/up-house.ts')
  const folder = await folderOf({ home, asked: args[0] })
  const { house, problems } = await readHouse(folder, home)
  const errors = problems.filter((problem) => problem.severity === 'error').length
  const failure = errors === 0 ? undefined : { exit: exitCodes.configuration, code: 'house.broken', message: `${counted(errors, 'error')} in ${folder}` }
  const summary = house && `${folder} is in order: ${counted(house.jobs.length, 'job')}, ${counted(house.lanes.length, 'lane')}, ${counted(house.agents.length, 'agent')}, digest ${house.digest.slice(0, 12)}`
  return outcome([...problems], (data, terminal) => [...data.map((problem) => problemLine(problem, terminal)), ...(summary ? [summary] : [])].join('\n'), failure)
}

/** What was asked for, else the house that runs, else the one that `up` would start. */
export async function folderOf({ home, asked }: { home: string; asked: string | undefined }): Promise<string> {
  if (asked !== undefined) return resolve(asked)
  try {
    return findRunningHouse(home).house
  } catch {
    const { houseFolder } = await import('../processes/up-house.ts')
    return houseFolder(home, undefined)
  }
}

function problemLine(problem: Problem, terminal: Terminal): string {
  return terminal.paint(problem.severity === 'error' ? 'red' : 'yellow', describeProblem(problem))
}

function explanationText({ key, value, source, default: standard, description }: Explanation, terminal: Terminal): string {
  return pairs(terminal, [
    ['key', terminal.paint('bold', key)],
    ['value', written(value)],
    ['from', source],
    ['default', written(standard)],
    ['means', description || 'nothing more is said of it'],
  ])
}

function written(value: unknown): string {
  return value === undefined ? 'none' : typeof value === 'string' ? value : JSON.stringify(value, undefined, 2)
}
