import type { CountsAgain } from '../acts/again.ts'
import type { Queryable } from '../draft-store.ts'

/** The clearances, keys and orders that count as soon as no fence stands, as this database knows them. */
export async function readActsInForce(query: Queryable, now: Date): Promise<CountsAgain> {
  const { rows } = await query.query<{ acts: CountsAgain }>('select acts_in_force($1) as acts', [now])
  const { clearances, keys, orders } = rows[0]!.acts
  return { clearances: clearances.map(inIso), keys: keys.map(inIso), orders: orders.map(inIso) }
}

/** How much of each there is, in words; of what there is none, nothing. */
export async function countActsInForce(query: Queryable, now: Date): Promise<string[]> {
  const { clearances, keys, orders } = await readActsInForce(query, now)
  const machines = clearances.filter(({ lane }) => lane === null).length
  const counts: [number, string, string][] = [
    [clearances.length - machines, 'clearance', 'clearances'], [machines, 'machine of your own', 'machines of your own'],
    [keys.length, 'key of a program', 'keys of programs'], [orders.length, 'standing order', 'standing orders'],
  ]
  return counts.flatMap(([count, one, more]) => (count === 0 ? [] : [`${count} ${count === 1 ? one : more}`]))
}

/** As JavaScript writes it, and not PostgreSQL. */
function inIso<T extends { readonly since: string; readonly until: string | null }>(act: T): T {
  return { ...act, since: new Date(act.since).toISOString(), until: act.until === null ? null : new Date(act.until).toISOString() }
}
