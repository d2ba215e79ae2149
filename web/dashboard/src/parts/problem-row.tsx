import type { Problem } from '../api/views.ts'
import { State } from './state.tsx'

/** What is wrong in the house, where, and what it should say instead. */
export function ProblemRow({ problem }: { problem: Problem }) {
  return (
    <li className="row">
      <State state={problem.severity} bare />
      <div>
        <div className="title">{problem.what}</div>
        <div className="sub">{problem.instead}</div>
      </div>
      <div className="end"><code className="mono">{problem.file}:{problem.line}:{problem.column}</code></div>
    </li>
  )
}
