import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { toFault } from '../kernel/fault.ts'
import type { Check } from '../server/index.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodeOf, exitCodes } from './command/exit-codes.ts'
import { outcome, type Outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import { paintState, type Terminal } from './terminal/terminal.ts'
import { counted } from './terminal/wording.ts'
import { connectorChecks } from './doctor/connector-checks.ts'

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'doctor',
    summary: 'Checks each part and names the command that mends it',
    run: examine,
  })
}

/** What can be seen without a house comes first, so that it helps when nothing runs. */
async function examine(invocation: Invocation): Promise<Outcome> {
  const checks = [nodeCheck(), homeCheck(invocation.home)]
  try {
    const found = await (await invocation.server()).get<Check[]>('/api/doctor')
    checks.push({ id: 'up', status: 'ok', what: 'the house answers' }, ...found, ...(await connectorChecks(invocation.releaser)))
  } catch (error) {
    const fault = toFault(error)
    checks.push({ id: 'up', status: 'fail', what: fault.message, mend: 'castellan up' })
    return outcome(checks, checkList, { exit: exitCodeOf(fault), code: fault.code, message: fault.message })
  }
  const failed = checks.filter((check) => check.status === 'fail')
  const failure = failed.length === 0 ? undefined : { exit: exitCodes.failure, code: 'doctor.failed', message: `${counted(failed.length, 'check')} failed: ${failed.map((check) => check.id).join(', ')}` }
  return outcome(checks, checkList, failure)
}

function nodeCheck(): Check {
  const major = Number(process.versions.node.split('.')[0])
  const what = `Node ${process.versions.node}`
  return major >= 24 ? { id: 'node', status: 'ok', what } : { id: 'node', status: 'fail', what: `${what}; Castellan needs 24`, mend: 'npm install' }
}

function homeCheck(home: string): Check {
  return existsSync(home) ? { id: 'home', status: 'ok', what: home } : { id: 'home', status: 'warn', what: `${home} is not there yet`, mend: 'castellan up' }
}

function checkList(checks: Check[], terminal: Terminal): string {
  const rows = checks.map(({ id, status, what, mend }) => [paintState(terminal, status), id, what, terminal.typed(mend ?? '')])
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  return `${table(terminal, ['', 'CHECK', 'FOUND', 'MEND WITH'], rows)}\n\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`
}
