import { readFileSync } from 'node:fs'
import { loadHouse } from '../house/index.ts'
import { allTools } from '../tools/all-tools.ts'
import { toolCatalog, toolJobs } from './tool-jobs.ts'

// Reads and checks one house and is gone again: `up` stays small, and what parses the operator's files does not stay.
// stdin: {folder, home}; stdout: {house?, problems, toolJobs}
const { folder, home } = JSON.parse(readFileSync(0, 'utf8')) as { folder: string; home: string }
const read = await loadHouse(folder, { tools: toolCatalog(allTools), home })
process.stdout.write(JSON.stringify({ ...read, toolJobs: toolJobs(allTools) }))
