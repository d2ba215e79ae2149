import { Fault } from '../../kernel/fault.ts'
import { toValue } from '../secret-value.ts'
import type { OpenSource, SourceDeps } from './source.ts'

interface OpSource {
  readonly reference: string
  readonly account?: string
}

interface Item {
  category?: string
  fields?: { id?: string; label?: string; value?: string; section?: { id?: string; label?: string } }[]
}

const hints = [
  [/not (?:currently )?signed in|no active session|session expired|sign in/i, 'you are not signed in: unlock the 1Password app, or run `op signin`'],
  [/connecting to desktop app|desktop app/i, 'the 1Password app does not answer: start and unlock it'],
  [/isn't a vault|could not find (?:the )?vault|vault .* not found/i, 'there is no such vault; look at `reference`'],
  [/isn't an item|could not find (?:the )?item|item .* not found/i, 'there is no such item; look at `reference`'],
  [/does not have a field|field .* not found|could not find field/i, 'the item has no such field; look at `reference`'],
  [/more than one item/i, 'more than one item has this name: write its id into `reference`'],
  [/authorization (?:prompt )?dismissed|timeout|denied/i, 'the question of the 1Password app was not answered with yes'],
] as const

/** How op knows who asks; they are its own, and it alone gets them. */
const passes = /^OP_|^DISPLAY$|^WAYLAND_DISPLAY$|^DBUS_SESSION_BUS_ADDRESS$/

/** A field of an item of 1Password. */
export function openOp({ reference, account }: OpSource, { run }: SourceDeps): OpenSource {
  const place = `1Password ${reference}`
  const whose = account === undefined ? [] : [`--account=${account}`]
  const call = (args: readonly string[], input?: string) => run({ program: 'op', args: [...args, ...whose], input, passes, hints, inOurSession: true })
  return {
    place,
    read: async () => toValue(await call(['read', '--no-newline', reference]), place),
    async write(value) {
      const { vault, item, section, field } = partsOf(reference)
      const whole = parse(await call(['item', 'get', item, `--vault=${vault}`, '--format=json']), place)
      // the JSON of a login leaves its passkey out, so giving it back would delete that for ever
      if (whole.category === 'LOGIN') throw new Fault('refused', 'secrets.op_login', `${place} is a login, which op cannot change as a whole without losing its passkey; keep what Castellan uses in an item of the category API Credential or Password, or change it in the app and run \`castellan secrets render\``)
      const named = (whole.fields ?? []).filter((one) => (one.label === field || one.id === field) && (section === undefined || one.section?.label === section || one.section?.id === section))
      if (named.length !== 1) throw new Fault('invalid', 'secrets.op_field', `${place} means ${named.length} fields of its item; name one by its section or id`)
      named[0]!.value = value
      await call(['item', 'edit', item, `--vault=${vault}`], JSON.stringify(whole))
    },
  }
}

function partsOf(reference: string): { vault: string; item: string; section: string | undefined; field: string } {
  const parts = reference.slice('op://'.length).split('/')
  const [vault, item] = parts
  const field = parts.at(-1)
  if (!(parts.length === 3 || parts.length === 4) || reference.includes('?') || item!.startsWith('-') || parts.includes('')) {
    throw new Fault('invalid', 'secrets.op_reference', `${reference} names no field that can be changed; write op://VAULT/ITEM/FIELD, or with a section before the field`)
  }
  return { vault: vault!, item: item!, section: parts.length === 4 ? parts[2]! : undefined, field: field! }
}

/** Without the words of the parser, which repeat what it could not read. */
function parse(bytes: Buffer, place: string): Item {
  try {
    return JSON.parse(bytes.toString('utf8')) as Item
  } catch {
    throw new Fault('unavailable', 'secrets.op_form', `op answered for ${place} with something that is not JSON; version 2 is needed`)
  }
}
