import { templateProblem } from './expression.ts'
import type { Problem } from './problem.ts'

/** prompts/NAME.liquid as NAME → text, each of which can be read as a template. */
export function loadPrompts(texts: ReadonlyMap<string, string>): { prompts: Record<string, string>; problems: Problem[] } {
  const prompts: Record<string, string> = {}
  const problems: Problem[] = []
  for (const [file, text] of texts) {
    const name = /^prompts\/(.*)\.liquid$/.exec(file)?.[1]
    if (name === undefined) continue
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
      problems.push({ file, line: 0, column: 0, severity: 'error', what: `${name} is not a name`, instead: 'use small letters, digits, _ and -' })
    }
    const broken = templateProblem(text)
    if (broken) {
      problems.push({ file, line: broken.line, column: broken.column, severity: 'error', what: `this template cannot be read: ${broken.what}`, instead: 'correct it there; files, includes and layouts are not available' })
    }
    prompts[name] = text
  }
  return { prompts, problems }
}
