import type { Lanes } from '../../labels/index.ts'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { ToolCatalog } from '../tool-catalog.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { AgentFile } from './agent-file.ts'

/** Everything that is wrong with an agent whose shape is right. */
export function checkAgent(
  agent: AgentFile,
  source: YamlSource,
  around: { tools: ToolCatalog; lanes: Lanes; prompts: readonly string[]; tasks: readonly string[] },
): Problem[] {
  const problems = agent.tools.flatMap((name, at) =>
    around.tools.has(name) ? [] : [source.problem(['tools', at], `there is no tool ${name}`, didYouMean(name, [...around.tools.keys()]))])
  if (!around.lanes.has(agent.lane)) {
    problems.push(source.problem(['lane'], `the lane ${agent.lane} is not declared`, didYouMean(agent.lane, [...around.lanes.keys()])))
  }
  if (agent.prompt !== undefined && !around.prompts.includes(agent.prompt)) {
    problems.push(source.problem(['prompt'], `there is no prompt ${agent.prompt}: prompts/${agent.prompt}.liquid is missing`, didYouMean(agent.prompt, around.prompts)))
  }
  if (!around.tasks.includes(agent.task) && !around.tasks.includes('default')) {
    problems.push(source.problem(['task'], `no route is declared for the task ${agent.task}`, `add it under models.routes in castellan.yaml; ${didYouMean(agent.task, around.tasks)}`))
  }
  return problems
}
