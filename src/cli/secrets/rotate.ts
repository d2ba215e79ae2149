import { Fault } from '../../kernel/fault.ts'
import type { SecretSource } from '../../house/index.ts'
import { forgetPrevious, rotateSecret, undoRotation, type Rotated } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { moment } from '../terminal/wording.ts'
import { readDeclared, type DeclaredSecrets } from './declared-secrets.ts'
import { askPassphrases, openDesk, type PatienceOption, type SecretDesk } from './open-desk.ts'
import { recordActs, tellHouse, toldText } from './tell-house.ts'

export interface RotateOptions extends PatienceOption {
  readonly undo?: boolean
  readonly valueFd?: number
}

/** One step: a new value, at its source, for the processes, in the audit; the one before is kept for a day. */
export async function rotate(invocation: Invocation<RotateOptions>): Promise<Outcome> {
  const { args, options, ask, here } = invocation
  const name = args[0]!
  const desk = openDesk(invocation)
  const declared = await readDeclared(invocation.home)
  const source = sourceOf(name, declared, desk)
  const given = [...declared.users].flatMap(([process, names]) => (names.includes(name) ? [process] : []))
  const what = `${options.undo ? 'put back the value before of' : 'give a new value to'} ${name}${given.length > 0 ? `, which ${given.join(', ')} ${given.length === 1 ? 'is' : 'are'} given` : ''}`
  if (options.dryRun) return outcome({ name, state: 'dry_run', would: `would ${what}` }, (data) => data.would)
  if (source.by !== 'typed' || options.undo) {
    if (!(await ask.confirm(`${what[0]!.toUpperCase()}${what.slice(1)}?`))) return outcome({ name, state: 'unchanged' }, () => 'Nothing was changed.')
  }
  const passphrases = await askPassphrases([source], invocation)
  const deps = { ...desk, passphrases, type: () => typeValue(name, invocation), record: () => recordActs(invocation, desk.records) }
  const rotated = await desk.folder.exclusively(async () => {
    forgetPrevious(deps)
    return options.undo ? undoRotation(deps, source) : rotateSecret(deps, source)
  })
  const house = await tellHouse(invocation, [name])
  const data = { name, state: rotated.state, resumed: rotated.resumed, undo_until: rotated.undoUntil, file: `${desk.folder.path}/${name}`, house }
  return outcome(data, (said) => [said.state === 'undone' ? `${said.name} has the value before again.` : rotatedText(said, source), ...(said.undo_until === null ? [] : [`castellan secrets rotate ${said.name} --undo takes it back, until ${moment(said.undo_until, here)}.`]), ...toldText(said.house)].join('\n'))
}

function rotatedText({ name, resumed, file }: Pick<Rotated, 'name' | 'resumed'> & { file: string }, { by }: SecretSource): string {
  const made = by === 'made' ? ` It stands in ${file}, for whoever else must know it.` : ''
  return `${name} has a new value.${resumed ? ' It is the one that an earlier call had, which did not come to its end.' : ''}${made}`
}

/** What the house declares, or a file that the operator has put there by hand. @throws Fault `secrets.missing` */
function sourceOf(name: string, { sources, users }: DeclaredSecrets, { folder }: SecretDesk): SecretSource {
  const source = sources.find((one) => one.name === name)
  if (source) return source
  if (!folder.list().has(name) && ![...users.values()].some((names) => names.includes(name))) {
    throw new Fault('missing', 'secrets.missing', `there is no secret ${name}; \`castellan secrets status\` lists them`)
  }
  return { name, from: 'made', by: 'typed', form: 'base64url', everyMs: null }
}

async function typeValue(name: string, { ask, options }: Invocation<RotateOptions>): Promise<string> {
  const value = await ask.secret(`The new value of ${name}`, options.valueFd, '--value-fd')
  if (options.valueFd === undefined && value !== (await ask.secret('The same again', undefined, '--value-fd'))) {
    throw new Fault('invalid', 'secrets.typed', 'the two values differ; nothing was changed')
  }
  return value
}
