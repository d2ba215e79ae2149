import type { FunctionTool } from '../../models/index.ts'
import { fields, present, wrong, type Fields } from '../check.ts'
import { readFreeTextTool } from './free-text-tools.ts'

/** A tool as its client knows it. */
export interface ClientTool {
  readonly name: string
  readonly namespace?: string
  readonly takesFreeText: boolean
}

export interface OfferedTools {
  readonly functions: readonly FunctionTool[]
  /** By the name that the model is offered. */
  readonly known: ReadonlyMap<string, ClientTool>
}

/** The tools of a request, those in a namespace among them: as functions, all of which the client runs. */
export function readTools(asked: Fields): OfferedTools {
  const functions: FunctionTool[] = []
  const known = new Map<string, ClientTool>()
  const take = (value: unknown, path: string, namespace?: string): void => {
    const tool = fields(value, path)
    const type = tool.text('type')
    if (type === 'namespace' && namespace === undefined) {
      const name = tool.text('name')
      if (!name) throw wrong(`${path}.name`, 'the name of the namespace')
      return void (tool.list('tools') ?? []).forEach((inner, index) => take(inner, `${path}.tools[${index}]`, name))
    }
    if (type !== 'function' && type !== 'custom') throw wrong(`${path}.type`, '"function", "custom" or a "namespace" of them; tools that a provider runs by itself are not served')
    const { name, ...rest } = type === 'custom' ? readFreeTextTool(tool) : readFunction(tool)
    const offered = offeredName(name, namespace)
    if (known.has(offered)) throw wrong(path, `a tool of another name; there is one called ${offered} already`)
    known.set(offered, { name, ...(namespace === undefined ? {} : { namespace }), takesFreeText: type === 'custom' })
    functions.push({ ...rest, name: offered })
  }
  ;(asked.list('tools') ?? []).forEach((value, index) => take(value, `tools[${index}]`))
  return { functions, known }
}

/** The name by which a model is offered a tool: other wires have no namespaces. */
export function offeredName(name: string, namespace: string | undefined): string {
  if (namespace === undefined) return name
  return namespace.endsWith('__') ? `${namespace}${name}` : `${namespace}__${name}`
}

function readFunction(tool: Fields): FunctionTool {
  const name = tool.text('name')
  if (!name) throw wrong(`${tool.path}.name`, 'the name of the function')
  tool.object('parameters')
  return present({
    name,
    description: tool.text('description'),
    parameters: tool.get('parameters') as Record<string, unknown> | undefined,
    strict: tool.flag('strict'),
  })
}
