import type { components } from './schema.d.ts'

/** What the server answers with, by the names that the commands use; generated from docs/openapi.json. */
type Schemas = components['schemas']

export type Brief = Schemas['Brief']
export type Check = Schemas['Check']
export type DraftLine = Schemas['DraftLine']
export type Fire = Schemas['Fire']
export type House = Schemas['House']
export type JobDetail = Schemas['JobDetail']
export type JobLine = Schemas['JobLine']
export type LabelView = Schemas['Label']
export type LogLine = Schemas['LogLine']
export type NotRun = Schemas['NotRun']
export type Occurrence = Schemas['Occurrence']
export type Problem = Schemas['Problem']
export type Process = Schemas['Process']
export type Proposal = Schemas['Proposal']
export type RunDetail = Schemas['RunDetail']
export type RunSummary = Schemas['RunSummary']
export type Step = Schemas['Step']
export type StripSlot = Schemas['StripSlot']
export type Today = Schemas['Today']
