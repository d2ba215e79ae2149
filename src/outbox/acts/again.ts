/** What counts again with the word that the outbox goes on: as the database has it, which may not know what was taken back since. */
export interface CountsAgain {
  readonly clearances: readonly (Span & { /** Null: the machine is the operator's own. */ readonly lane: string | null; readonly upstream: string; readonly url: string; readonly level: number })[]
  readonly keys: readonly (Span & { readonly name: string; readonly gate: string; readonly lane: string; readonly level: number })[]
  readonly orders: readonly (Span & { readonly name: string; readonly kind: string; readonly connector: string; readonly per_day: number })[]
}

interface Span {
  readonly id: string
  /** ISO */
  readonly since: string
  /** ISO; null: until it is taken back. */
  readonly until: string | null
}

const span = { id: 'string', since: 'string', until: 'text or null' } as const
export const againShape = {
  fields: {
    clearances: { list: { fields: { ...span, lane: 'text or null', upstream: 'string', url: 'string', level: 'number' } } },
    keys: { list: { fields: { ...span, name: 'string', gate: 'string', lane: 'string', level: 'number' } } },
    orders: { list: { fields: { ...span, name: 'string', kind: 'string', connector: 'string', per_day: 'number' } } },
  },
} as const

/** All of it, each with how it is taken back. */
export function wordsOfAgain({ clearances, keys, orders }: CountsAgain): string[] {
  if (clearances.length + keys.length + orders.length === 0) return ['No clearance, machine of your own, key of a program or standing order counts again by this: there is none.']
  return [
    'These stand still as well, and count again then. This copy does not know what you took back after it was made:',
    'look at each, and take back before you sign what you had taken back already.',
    ...clearances.map(({ lane, upstream, url, level, ...when }) => lane === null
      ? `  ${upstream} at ${url} as a machine of your own, up to P${level}, ${spanOf(when)}: castellan model disown ${upstream}`
      : `  lane ${lane}, up to P${level} to ${upstream} at ${url}, ${spanOf(when)}: castellan lane unclear ${lane} --upstream ${upstream}`),
    ...keys.map(({ name, gate, lane, level, ...when }) => `  key ${name} of a program, for gate ${gate}, lane ${lane}, up to P${level}, ${spanOf(when)}: castellan key revoke ${name}`),
    ...orders.map(({ name, kind, connector, per_day: perDay, ...when }) => `  order ${name}, ${kind} by ${connector}, ${perDay} a day, ${spanOf(when)}: castellan order revoke ${name}`),
  ]
}

function spanOf({ since, until }: Pick<Span, 'since' | 'until'>): string {
  return `since ${since.slice(0, 10)}${until === null ? '' : ` until ${until.slice(0, 10)}`}`
}
