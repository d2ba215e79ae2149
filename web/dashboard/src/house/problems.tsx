import type { Problem } from '../api/views.ts'
import { ProblemRow } from '../parts/problem-row.tsx'
import { Section } from '../parts/section.tsx'
import { State } from '../parts/state.tsx'

/** What is wrong in the house folder, each with its place. */
export function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <Section title="Configuration" count={problems.length === 0 ? undefined : problems.length}>
      {problems.length === 0
        ? <div className="card"><div className="row row-slim"><State state="ok" bare word="in order" /><span>Nothing is wrong in the house folder.</span></div></div>
        : <ul className="card">{problems.map((problem) => <ProblemRow key={`${problem.file}:${problem.line}:${problem.column} ${problem.what}`} problem={problem} />)}</ul>}
    </Section>
  )
}
