import pg from 'pg'

type Parse = (text: string) => unknown

const textArray = 1009

/** How columns come into JavaScript where node-postgres's own way would surprise. What is not listed is as there. */
const parsers = new Map<number, Parse>([
  [20, exactInteger], // int8: count(*), identity columns
  [1016, arrayOf(exactInteger)],
  [1700, exactDecimal], // numeric: money, sum(int8)
  [1231, arrayOf(exactDecimal)],
  [1082, String], // date: a day, not a moment in the local zone
  [1114, String], // timestamp without time zone: likewise
  [1186, String], // interval
])

export const columnParsers: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers.get(oid)) || pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
}

/** A wrong number is worse than none: what JavaScript cannot hold exactly makes the query fail. */
function exactInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is too large for a number; select it as text`)
  return value
}

/** IEEE doubles keep 15 significant decimal digits; a numeric with more makes the query fail. */
function exactDecimal(text: string): number {
  const value = Number(text)
  if (!Number.isFinite(value) || text.replace(/^[-0.]+|\D|0+$/g, '').length > 15) {
    throw new RangeError(`${text} does not fit a number exactly; select it as text`)
  }
  return value
}

function arrayOf(parse: (text: string) => number): Parse {
  const split = pg.types.getTypeParser(textArray as number) as unknown as (text: string) => (string | null)[]
  return (text) => split(text).map((item) => (item === null ? null : parse(item)))
}
