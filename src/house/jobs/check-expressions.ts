import { expressionRoots, references, templateProblem } from '../expression.ts'
import type { Problem } from '../problem.ts'
import { didYouMean, nearest } from '../suggest.ts'
import type { Path, YamlSource } from '../yaml-source.ts'

/** Where an expression stands, and what it may name there. */
export interface Place {
  readonly at: Path
  readonly roots: readonly string[]
  /** Ids of the steps that are finished by then. */
  readonly before: readonly string[]
  /** The id of the step it stands in. */
  readonly own?: string
  /** Ids of the steps that come after. */
  readonly later: readonly string[]
  readonly prompts: readonly string[]
}

const properties: Readonly<Record<string, readonly string[]>> = { job: ['name', 'summary'], run: ['id', 'lane'] }

/** What is wrong with an expression, found without running it. */
export function checkExpression(text: string, place: Place, source: YamlSource): Problem[] {
  const broken = templateProblem(text)
  if (broken) return [source.problem(place.at, `this expression cannot be read: ${broken.what}`, 'write e.g. {{ steps.mail.output.count }}', { line: broken.line - 1 })]
  return references(text).flatMap((path) => {
    const complaint = checkReference(path, place)
    return complaint ? [source.problem(place.at, complaint.what, complaint.instead)] : []
  })
}

/** The prompts that a text refers to. */
export function promptsIn(text: string): string[] {
  return templateProblem(text) ? [] : references(text).flatMap((path) => (path[0] === 'prompts' && path[1] !== undefined ? [path[1]] : []))
}

function checkReference(path: readonly string[], place: Place): { what: string; instead: string } | undefined {
  const [root, name, part] = path as [string, string?, string?]
  const written = path.join('.')
  if (!place.roots.includes(root)) {
    const elsewhere = (expressionRoots as readonly string[]).includes(root)
    if (elsewhere) return { what: `${root} is not known yet here`, instead: `use ${place.roots.join(' or ')}` }
    return { what: `there is no ${root} in an expression`, instead: nearest(root, place.roots) ? didYouMean(root, place.roots) : `it can name ${place.roots.join(', ')}; a text needs quotes` }
  }
  if (root === 'prompts') return checkPrompt(name, place)
  if (root === 'steps') return checkStep(name, part, written, place)
  const known = properties[root]
  if (known && name !== undefined && !known.includes(name)) return { what: `there is no ${written}`, instead: didYouMean(name, known) }
  return undefined
}

function checkPrompt(name: string | undefined, place: Place) {
  if (name === undefined) return undefined
  if (name === '*') return { what: 'a prompt has to be named, not computed', instead: 'write e.g. {{ prompts.brief }}' }
  return place.prompts.includes(name) ? undefined : { what: `there is no prompt ${name}: prompts/${name}.liquid is missing`, instead: didYouMean(name, place.prompts) }
}

function checkStep(name: string | undefined, part: string | undefined, written: string, place: Place) {
  if (name === undefined || name === '*') return { what: 'a step has to be named, not computed', instead: 'write e.g. {{ steps.mail.output }}' }
  if (name === place.own) return { what: `the step ${name} reads itself`, instead: place.before.length > 0 ? `name a step before it: ${place.before.join(', ')}` : 'it is the first step; there is nothing to read yet' }
  if (place.later.includes(name)) return { what: `the step ${name} comes later and has no output yet`, instead: `move ${name} before ${place.own ?? 'this'}, or name an earlier step` }
  if (!place.before.includes(name)) return { what: `there is no step ${name}`, instead: didYouMean(name, place.before) }
  if (part !== undefined && part !== 'output' && part !== 'state') return { what: `a step has no ${part}: ${written}`, instead: `did you mean steps.${name}.output.${part}?` }
  return undefined
}
