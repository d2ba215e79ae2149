import { describeSecrets, type SecretState } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { duration, moment, type Here } from '../terminal/wording.ts'
import { readDeclared } from './declared-secrets.ts'
import { openDesk } from './open-desk.ts'

/** Which secrets there are and how they are; no value is read. */
export async function status(invocation: Invocation): Promise<Outcome> {
  const { home, here } = invocation
  const { folder, records } = openDesk(invocation)
  const declared = await readDeclared(home)
  const states = describeSecrets({ ...declared, files: folder.list(), unfinished: folder.unfinished(), recordOf: records.of }, here.now)
  return outcome(states.map((state) => rowOf(state, folder.path)), (rows, terminal) => statusText(rows, terminal, here))
}

type Row = ReturnType<typeof rowOf>

function rowOf({ name, state, from, usedBy, changedAt, dueAt, undoUntil, stored }: SecretState, folder: string) {
  return { name, state, from, used_by: usedBy, changed_at: changedAt, due_at: dueAt, undo_until: undoUntil, stored_at: stored, mend: mendOf({ name, state, from }, folder) }
}

function statusText(rows: readonly Row[], terminal: Terminal, here: Here): string {
  if (rows.length === 0) return 'The house names no secret.'
  const age = (at: string) => duration(here.now.getTime() - Date.parse(at))
  return table(terminal, ['STATE', 'NAME', 'FROM', 'AGE', 'DUE', 'GIVEN TO', 'DO'], rows.map((row) => [
    paintState(terminal, row.state), row.name, row.from === 'hand' ? 'by hand' : row.from, row.changed_at === null ? '' : age(row.changed_at),
    row.due_at === null ? '' : moment(row.due_at, here), row.used_by.join(', '), [...(row.mend === null ? [] : [terminal.typed(row.mend)]), ...(row.stored_at === null ? [] : [`units are given ${row.stored_at}${row.state === 'stored' ? '' : ' instead'}`])].join('; '),
  ]))
}

function mendOf({ name, state, from }: Pick<SecretState, 'name' | 'state' | 'from'>, folder: string): string | null {
  switch (state) {
    case 'good':
    case 'stored':
      return null
    case 'unfinished':
      return `castellan secrets rotate ${name}`
    case 'due':
      return from === 'hand' ? `put a new value into ${folder}/${name}` : `castellan secrets rotate ${name}`
    case 'missing':
      return from === 'hand' ? `(umask 077; cat > ${folder}/${name})` : `castellan secrets render ${name}`
    case 'exposed':
      return `chmod 600 ${folder}/${name}`
    case 'unused':
      return from === 'hand' ? `rm ${folder}/${name}` : 'nobody is given it; take it out of castellan.yaml'
  }
}
