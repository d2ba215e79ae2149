export interface ModelRequest {
  /** What kind of work it is; the gate routes by it, e.g. `summarize`. */
  readonly task: string
  readonly system?: string | undefined
  readonly prompt: string
  readonly maxTokens?: number | undefined
  readonly signal: AbortSignal
}

export interface ModelAnswer {
  readonly text: string
  readonly model: string
}

/** The models that this run may reach, through the gate of its worker and under the run's own session. */
export interface Models {
  /** Throws a Fault `unavailable` when no model answers, `refused` when the gate lets none be asked. */
  ask(request: ModelRequest): Promise<ModelAnswer>
}
