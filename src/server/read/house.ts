import type { Database } from '../../kernel/database/connect.ts'
import type { ProblemView } from '../api.ts'

/** The house as it was last loaded, with its problems. */
export async function readHouse(database: Database): Promise<{ digest: string | null; loaded_at: string | null; problems: ProblemView[] }> {
  const [house, supervisor] = await Promise.all([
    database.kysely.selectFrom('house').select(['digest', 'loaded_at', 'problems']).where('current', '=', true).executeTakeFirst(),
    database.kysely.selectFrom('supervisor').select('problems').executeTakeFirst(),
  ])
  // the supervisor also holds the problems of a house that was too wrong to be loaded
  const problems = [...((supervisor?.problems ?? []) as ProblemView[]), ...((house?.problems ?? []) as ProblemView[])]
  const unique = new Map(problems.map((problem) => [`${problem.file}:${problem.line}:${problem.column}:${problem.what}`, problem]))
  return { digest: house?.digest ?? null, loaded_at: house?.loaded_at.toISOString() ?? null, problems: [...unique.values()] }
}
