/** An agent as the house declares it. */
export interface AgentDefinition {
  readonly name: string
  readonly summary: string
  readonly lane: string
  /** Names of tools; an agent can do nothing else. */
  readonly tools: readonly string[]
  /** The task type by which its models are routed. */
  readonly task: string
  /** The name of the prompt that it starts from. */
  readonly prompt?: string
}
