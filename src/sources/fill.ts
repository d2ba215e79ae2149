import type { CommandSourceSettings, HttpSourceSettings, SourceParameter } from '../house/index.ts'
import { Fault } from '../kernel/fault.ts'

export type Params = Readonly<Record<string, string>>

const forms = { id: /^[A-Za-z0-9_][A-Za-z0-9._@-]{0,99}$/, date: /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/, number: /^[0-9]{1,15}$/ }

/** The database has looked already, in its own words (0015_sources.sql): this is the look of who is going to say it. @throws Fault `source.params` */
export function checkParams(declared: readonly SourceParameter[], given: Params): void {
  const fits = ({ name, values, form }: SourceParameter) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined
    return typeof value === 'string' && (values ? values.includes(value) : form !== undefined && forms[form].test(value))
  }
  if (Object.keys(given).length !== declared.length || !declared.every(fits)) {
    throw new Fault('invalid', 'source.params', `these are not the parameters that the source declares; it takes ${describeParams(declared)}`)
  }
}

/** What a source can be asked, for whoever asked something else. */
export function describeParams(declared: readonly SourceParameter[]): string {
  return declared.map(({ name, values, form }) => `${name} (${values?.join(', ') ?? form})`).join('; ') || 'no parameters'
}

/** The address with every parameter in its place, encoded so that it stays in that place. */
export function fillAddress({ url, query }: Pick<HttpSourceSettings, 'url' | 'query'>, params: Params): string {
  const filled = new URL(fill(url, params, encodeURIComponent))
  for (const [name, text] of Object.entries(query)) filled.searchParams.append(name, fill(text, params, String))
  return filled.href
}

/** The arguments with every parameter in its place, each still one argument. */
export function fillArguments({ argv }: Pick<CommandSourceSettings, 'argv'>, params: Params): string[] {
  return argv.map((text, index) => (index === 0 ? text : fill(text, params, String)))
}

/** In one pass, so that a value never is taken for a place. */
function fill(text: string, params: Params, encode: (value: string) => string): string {
  return text.replace(/\{([a-z][a-z0-9_]*)\}/g, (place, name: string) => (Object.hasOwn(params, name) ? encode(params[name]!) : place))
}
