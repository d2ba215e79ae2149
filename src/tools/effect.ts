/** What a tool may do: look, change the operator's own data, or propose an act that he signs. There is no effect "send". */
export type Effect = 'read' | 'write' | 'propose'

/** How a tool can still be of use when no model answers; a step has to ask for it. */
export type Fallback = 'extractive'
