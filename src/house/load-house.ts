import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { z } from 'zod'
import { agentSchema } from './agents/agent-file.ts'
import { checkAgent } from './agents/check-agent.ts'
import { checkShape } from './check-shape.ts'
import { checkDictionary, dictionarySchema, toDictionary } from './dictionary-file.ts'
import { digestOf } from './digest.ts'
import type { House } from './house.ts'
import { checkJob } from './jobs/check-job.ts'
import { jobSchema } from './jobs/job-file.ts'
import { toJob } from './jobs/to-job.ts'
import { labelsSchema } from './labels-file.ts'
import { checkLabelRules, toLabelRules } from './labels-rules.ts'
import { loadPrompts } from './load-prompts.ts'
import { loadSettings } from './load-settings.ts'
import type { Overrides } from './override-ports.ts'
import type { Problem } from './problem.ts'
import { readHouseFolder } from './read-folder.ts'
import { checkBudgetJobs } from './settings/check-spending.ts'
import { forbiddenPlaces } from './settings/resolve-path.ts'
import { toWebhooks } from './settings/to-webhooks.ts'
import type { ToolCatalog } from './tool-catalog.ts'
import { readYaml, type YamlSource } from './yaml-source.ts'

export interface LoadOptions extends Overrides {
  readonly tools: ToolCatalog
  /** Where Castellan keeps its state; no tool may reach it. */
  readonly home?: string
  /** Schedules have to fire after this moment. */
  readonly now?: Date
}

/** Reads and checks the operator's folder as a whole. Every problem of every file at once; a house only when none of them is an error. */
export async function loadHouse(folder: string, options: LoadOptions): Promise<{ house?: House; problems: Problem[] }> {
  const path = resolve(folder)
  const { texts, problems: ofFolder } = readHouseFolder(path)
  const problems: Problem[] = [...ofFolder]
  const sources = new Map<string, YamlSource>()
  for (const [file, text] of texts) {
    if (!file.endsWith('.yaml')) continue
    const read = readYaml(file, text)
    problems.push(...read.problems)
    if (read.source) sources.set(file, read.source)
  }
  /** Every file of a folder whose shape is right. */
  const shaped = <S extends z.ZodType>(inFolder: string, schema: S) =>
    [...sources].filter(([file]) => file.startsWith(`${inFolder}/`)).flatMap(([file, source]) => {
      const { value, problems: ofShape } = checkShape(schema, source)
      problems.push(...ofShape)
      const name = /([^/]*)\.yaml$/.exec(file)![1]!
      return value === undefined ? [] : [{ name, source, value }]
    })

  const env = options.env ?? process.env
  const castellan = sources.get('castellan.yaml') ?? readYaml('castellan.yaml', '').source!
  const { settings, lanes, file, problems: ofSettings } = loadSettings(path, castellan, { ...options, env }, forbiddenPlaces(options.home ?? castellanHome(env)))
  problems.push(...(sources.has('castellan.yaml') ? ofSettings : []))

  const prompts = loadPrompts(texts)
  problems.push(...prompts.problems)
  const promptNames = Object.keys(prompts.prompts)

  const webhooks = new Map(toWebhooks(file).map((webhook) => [webhook.name, webhook]))
  const jobs = named(shaped('jobs', jobSchema), problems)
  const around = { tools: options.tools, lanes, prompts: promptNames, webhooks, timezone: file.timezone, now: options.now ?? new Date() }
  for (const { value, source } of jobs) problems.push(...checkJob(value, source, around))
  // a job whose file cannot be read is there all the same
  const jobFiles = [...sources.keys()].flatMap((path) => /^jobs\/(?:.*\/)?([^/]*)\.yaml$/.exec(path)?.[1] ?? [])
  if (sources.has('castellan.yaml')) problems.push(...checkBudgetJobs(file, castellan, jobs.map(({ name }) => name), jobFiles))

  const agents = named(shaped('agents', agentSchema), problems)
  for (const { value, source } of agents) problems.push(...checkAgent(value, source, { ...around, tasks: Object.keys(file.models.routes) }))

  const labels = sources.get('labels.yaml')
  const rules = labels && labels.value != null ? checkShape(labelsSchema, labels) : { value: [], problems: [] }
  problems.push(...rules.problems, ...(labels && rules.value ? checkLabelRules(rules.value, file, labels) : []))

  const words = sources.get('dictionary.yaml') ?? readYaml('dictionary.yaml', '{}').source!
  const dictionary = checkShape(dictionarySchema, words)
  problems.push(...dictionary.problems, ...(dictionary.value ? checkDictionary(dictionary.value, words) : []))

  const sorted = inOrder(problems)
  if (!settings || !rules.value || !dictionary.value || problems.some((problem) => problem.severity === 'error')) return { problems: sorted }
  const content = {
    settings,
    lanes: [...lanes.values()],
    jobs: jobs.map(({ name, value }) => toJob(name, value, settings.timezone, prompts.prompts, webhooks)).sort(byName),
    agents: agents.map(({ name, value: { prompt, ...agent } }) => ({ ...agent, name, ...(prompt !== undefined && { prompt }) })).sort(byName),
    prompts: prompts.prompts,
    labelRules: toLabelRules(rules.value, file),
    dictionary: toDictionary(dictionary.value),
  }
  return { house: { folder: path, digest: digestOf(content), ...content }, problems: sorted }
}

/** Names come from the file unless it says otherwise, and are given once. */
function named<T extends { name?: string | undefined }>(files: readonly { name: string; source: YamlSource; value: T }[], problems: Problem[]) {
  const taken = new Map<string, string>()
  return files.map(({ name: fileName, source, value }) => {
    const name = value.name ?? fileName
    const other = taken.get(name)
    if (other !== undefined) problems.push(source.problem(['name'], `${other} already has the name ${name}`, 'give one of them another name'))
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) problems.push(source.problem(['name'], `${name} is not a name`, 'use small letters, digits, _ and -, here or for the file'))
    taken.set(name, source.file)
    return { name, source, value }
  })
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1))
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name < b.name ? -1 : 1
}

function castellanHome(env: Readonly<Record<string, string | undefined>>): string {
  return env['CASTELLAN_HOME'] ?? join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'castellan')
}
