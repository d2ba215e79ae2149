/** Something wrong in the operator's folder: where, what, and what would be right. */
export interface Problem {
  /** Relative to the house. */
  readonly file: string
  /** From 1; 0 when the file as a whole is meant. */
  readonly line: number
  readonly column: number
  readonly severity: 'error' | 'warning'
  readonly what: string
  readonly instead: string
}

/** `jobs/brief.yaml:12:5 error: … → …` */
export function describeProblem(problem: Problem): string {
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file
  return `${place} ${problem.severity}: ${problem.what}${problem.instead && ` → ${problem.instead}`}`
}
