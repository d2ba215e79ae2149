import { Context, Liquid, Output, toValue, toValueSync, type Template } from 'liquidjs'
import { Fault } from '../kernel/fault.ts'
import { ownFilters } from './filters.ts'

/** What expressions can name: `steps`, `input`, `slot`, `now`, `job`, `prompts`, `run`. */
export type Scope = Readonly<Record<string, unknown>>

export const expressionRoots = ['steps', 'input', 'slot', 'now', 'job', 'prompts', 'run'] as const

/** Characters of a template, milliseconds of a rendering, and objects and characters that it may make. */
const limits = { parseLimit: 500_000, renderLimit: 2_000, memoryLimit: 50_000_000 } as const

const engine = createEngine((value) => (isObject(value) ? JSON.stringify(value) : value) as string)
/** Gives values as they are. */
const valueEngine = createEngine()

/** Fills in every expression of a step's `with`. A value that is exactly one `{{ … }}` keeps its type, anything else becomes text. */
export function resolveInput(value: unknown, scope: Scope): unknown {
  const context = settle(scope)
  return walk(value, (text) => evaluate(text, context))
}

/** Does a step's condition hold? No for false, nothing, 0, empty text and empty lists, and for the output of a step that was skipped. */
export function isTrue(expression: string, scope: Scope): boolean {
  if (references(expression).some((path) => path[0] === 'steps' && path[2] === 'output' && wasSkipped(scope, path[1]))) return false
  const value = evaluate(expression, settle(scope))
  if (typeof value === 'string') return !['', 'false', '0'].includes(value.trim())
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

/** Renders a template of its own, e.g. a prompt, with `data` as its roots. */
export function renderTemplate(template: string, data: Scope): string {
  return guarded(template, (templates) => String(engine.renderSync(templates, data)))
}

/** Every path that an expression or template reads, found without running it: `[['steps', 'mail', 'output']]`. A computed part is `*`. */
export function references(template: string): string[][] {
  return guarded(template, (templates) => {
    const found = engine.globalVariableSegmentsSync(templates) as Segments[]
    return found.map((path) => path.map((part) => (Array.isArray(part) ? '*' : String(part))))
  })
}

type Segments = (string | number | Segments)[]

/** What is wrong with a template, and where in it (from 1), or nothing. */
export function templateProblem(template: string): { what: string; line: number; column: number } | undefined {
  try {
    references(template)
    return undefined
  } catch (error) {
    const { line, column } = (error as Fault).details as { line: number; column: number }
    return { what: (error as Fault).message, line, column }
  }
}

function evaluate(text: string, scope: Scope): unknown {
  if (!text.includes('{{') && !text.includes('{%')) return text
  return guarded(text, (templates) => {
    const whole = text.trim().startsWith('{{') ? onlyOutput(text) : undefined
    // `nil` that is written out is an object of the engine's
    if (whole) return toValue(toValueSync(whole.value.value(new Context(scope as object, valueEngine.options, { sync: true, ...limits })))) ?? null
    return engine.renderSync(templates, scope as object)
  })
}

function onlyOutput(text: string): Output | undefined {
  const [first, ...more] = valueEngine.parse(text.trim())
  return first instanceof Output && more.length === 0 ? first : undefined
}

function guarded<T>(template: string, work: (templates: Template[]) => T): T {
  try {
    return work(engine.parse(template))
  } catch (error) {
    if (error instanceof Fault) throw error
    const position = (error as { token?: { getPosition?(): [number, number] } }).token?.getPosition?.() ?? [1, 1]
    const message = (error as Error).message.replace(/, line:\d+, col:\d+$/, '')
    throw new Fault('invalid', 'house.expression', message, { line: position[0], column: position[1] }, error)
  }
}

/** A skipped step has an output, and it is null: `{{ steps.x.output.text | default: "" }}` works whether or not it ran. */
function settle(scope: Scope): Scope {
  const steps = scope['steps'] as Record<string, { state?: string; output?: unknown }> | undefined
  if (!steps) return scope
  return { ...scope, steps: Object.fromEntries(Object.entries(steps).map(([id, step]) => [id, { ...step, output: step.output ?? null }])) }
}

function wasSkipped(scope: Scope, step: string | undefined): boolean {
  const steps = scope['steps'] as Record<string, { state?: string }> | undefined
  return step !== undefined && steps !== undefined && Object.hasOwn(steps, step) && steps[step]!.state === 'skipped'
}

function walk(value: unknown, onText: (text: string) => unknown): unknown {
  if (typeof value === 'string') return onText(value)
  if (Array.isArray(value)) return value.map((item) => walk(item, onText))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, onText)]))
}

/** No files, no inherited properties, nothing random: the same scope gives the same text again. */
function createEngine(outputEscape?: (value: unknown) => string): Liquid {
  const liquid = new Liquid({
    ...limits,
    strictVariables: true,
    strictFilters: true,
    ownPropertyOnly: true,
    lenientIf: true,
    timezoneOffset: 'UTC',
    templates: {},
    ...(outputEscape && { outputEscape }),
  })
  for (const tag of ['include', 'render', 'layout', 'block']) delete liquid.tags[tag]
  for (const filter of ['sample', 'strip_html']) delete liquid.filters[filter]
  for (const [name, filter] of Object.entries(ownFilters)) liquid.registerFilter(name, filter)
  return liquid
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
