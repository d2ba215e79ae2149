import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { builtInLanes } from './to-lanes.ts'

const scopes = ['lane', 'provider', 'job', 'agent', 'key'] as const

/** Ceilings that can never hold anything back, and two for the same thing. */
export function checkSpending(file: CastellanFile, source: YamlSource): Problem[] {
  const upstreams = Object.keys(file.models.upstreams)
  const lanes = [...new Set([...Object.keys(file.lanes), ...builtInLanes])]
  const seen = new Set<string>()
  return file.models.budgets.flatMap((budget, at) => {
    const path = ['models', 'budgets', at]
    const { lane, provider } = budget
    const same = JSON.stringify([budget.per, ...scopes.map((scope) => budget[scope] ?? null)])
    const again = seen.has(same)
    seen.add(same)
    return [
      ...(lane !== undefined && !lanes.includes(lane) ? [source.problem([...path, 'lane'], `a budget is for the lane ${lane}, which is not declared`, didYouMean(lane, lanes))] : []),
      ...(provider !== undefined && !upstreams.includes(provider) ? [source.problem([...path, 'provider'], `a budget is for the upstream ${provider}, which is not declared`, didYouMean(provider, upstreams))] : []),
      ...(budget.agent !== undefined ? [source.problem([...path, 'agent'], 'a budget is for an agent, and no call is told of its agent yet, so it would hold nothing back', 'write it for a job, a lane or a key')] : []),
      ...(again ? [source.problem(path, 'there is a budget for the same before it', 'keep one of the two')] : []),
    ]
  })
}

/** Budgets for jobs that are not there; `files` may hold jobs that could not be read. */
export function checkBudgetJobs(file: CastellanFile, source: YamlSource, jobs: readonly string[], files: readonly string[]): Problem[] {
  return file.models.budgets.flatMap(({ job }, at) =>
    job === undefined || jobs.includes(job) || files.includes(job)
      ? []
      : [source.problem(['models', 'budgets', at, 'job'], `a budget is for the job ${job}, which is not declared`, didYouMean(job, jobs))])
}
