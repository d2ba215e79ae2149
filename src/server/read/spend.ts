import { sql, type RawBuilder } from 'kysely'
import type { House } from '../../house/index.ts'
import type { Database } from '../../kernel/database/connect.ts'
import { ceilingName } from '../../models/index.ts'
import type { CeilingView, SpendLine, SpendView } from '../api.ts'

/** What model calls cost since a moment, and how much room the ceilings of now have. */
export async function readSpend(database: Database, house: House, { by, since }: Pick<SpendView, 'by'> & { since: Date }, now: Date): Promise<SpendView> {
  const { timezone } = house.settings
  const [lines, ceilings, rate] = await Promise.all([
    readLines(database, by, since, timezone),
    readCeilings(database, house, now),
    sql<{ rate: number }>`select eur_per_usd::float8 as rate from exchange_rate where day = (${now}::timestamptz at time zone ${timezone})::date`.execute(database.kysely),
  ])
  return {
    since: since.toISOString(),
    by,
    lines,
    total_eur: sum(lines.map((line) => line.cost_eur)),
    total_usd: sum(lines.map((line) => line.cost_usd)),
    ceilings,
    eur_per_usd: rate.rows[0]?.rate ?? null,
  }
}

async function readLines(database: Database, by: SpendView['by'], since: Date, timezone: string): Promise<SpendLine[]> {
  const named: Readonly<Record<SpendView['by'], RawBuilder<string>>> = {
    provider: sql`upstream`,
    model: sql`upstream || '/' || coalesce(model, '')`,
    lane: sql`coalesce(r.lane, k.lane)`,
    job: sql`coalesce(r.job, 'no job: a program with a key')`,
    key: sql`coalesce(k.name, 'no key: jobs of the house')`,
    day: sql`to_char(c.opened_at at time zone ${timezone}, 'YYYY-MM-DD')`,
  }
  const order = by === 'day' ? sql`1` : sql`cost_eur desc, calls desc, 1`
  const { rows } = await sql<SpendLine>`
    select ${named[by]} as name, count(*)::int as calls,
      coalesce(sum(input_tokens), 0)::float8 as input_tokens, coalesce(sum(cached_tokens), 0)::float8 as cached_tokens,
      coalesce(sum(output_tokens), 0)::float8 as output_tokens, coalesce(sum(reasoning_tokens), 0)::float8 as reasoning_tokens,
      coalesce(sum(cost_eur), 0)::float8 as cost_eur, coalesce(sum(cost_usd), 0)::float8 as cost_usd,
      count(*) filter (where cost_eur is null)::int as unknown_price
    from model_call c left join run r on r.id = c.run_id left join client_key k on k.id = c.key_id
    where c.opened_at >= ${since} and c.upstream is not null group by 1 order by ${order} limit 500`.execute(database.kysely)
  return rows
}

/** Every ceiling of the house in its present period, also one that nobody has spent under yet. */
async function readCeilings(database: Database, { settings }: House, now: Date): Promise<CeilingView[]> {
  const { budgets } = settings.spending
  if (budgets.length === 0) return []
  const asked = JSON.stringify(budgets.map((budget) => ({ name: ceilingName(budget), per: budget.per, limit: budget.eur })))
  const { rows } = await sql<{ name: string; per: 'day' | 'month'; limit: number; counted: number; held: number; ends: Date }>`
    with asked as (
      select c ->> 'name' as name, c ->> 'per' as per, (c ->> 'limit')::numeric as most, date_trunc(c ->> 'per', ${now}::timestamptz, ${settings.timezone}) as starts,
        (date_trunc(c ->> 'per', ${now}::timestamptz at time zone ${settings.timezone}) + ('1 ' || (c ->> 'per'))::interval) at time zone ${settings.timezone} as ends
      from jsonb_array_elements(${asked}::jsonb) as c
    )
    select asked.name, asked.per, asked.most::float8 as limit, asked.ends, coalesce(a.counted_eur, 0)::float8 as counted,
      (select coalesce(sum(b.amount_eur - (select coalesce(sum(cost_eur), 0) from model_call where block_id = b.id and state <> 'open')), 0)
        from budget_block_account ba join budget_block b on b.id = ba.block_id
        where ba.ceiling = asked.name and ba.starts_at = asked.starts and b.state = 'open')::float8 as held
    from asked left join budget_account a on a.ceiling = asked.name and a.starts_at = asked.starts order by asked.name`.execute(database.kysely)
  return rows.map(({ name, per, limit, counted, held, ends }) => {
    const spent = counted - held
    const left = Math.max(0, limit - spent)
    return {
      name, per, limit_eur: limit, spent_eur: spent, held_eur: Math.max(0, held), left_eur: left,
      percent: limit === 0 ? 100 : Math.round((spent * 1_000) / limit) / 10,
      resets_at: ends.toISOString(), state: left > 0 ? 'open' : 'reached',
    }
  })
}

function sum(amounts: readonly number[]): number {
  return Math.round(amounts.reduce((total, amount) => total + amount, 0) * 1e9) / 1e9
}
