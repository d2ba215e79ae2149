import { open } from 'node:fs/promises'
import { Fault } from '../../../kernel/fault.ts'
import { findProgram, type Program } from '../../../sandbox/index.ts'
import type { BoundProgram } from './workplace.ts'

/** A script of a script of a script; the kernel goes no further. */
const deepest = 4
/** As much of a first line as the kernel reads. */
const firstLine = 256

/**
 * The programs that the first lines of scripts name: what is started when the script is. Read from the copies that will be run, and found
 * like any program; `env` finds another, where the sandbox has its programs. @throws Fault `shell.program`
 */
export async function interpretersOf(programs: readonly BoundProgram[], copyOf: (program: BoundProgram) => Promise<string>): Promise<Program[]> {
  const found: Program[] = []
  let scripts = programs
  for (let depth = 0; depth < deepest && scripts.length > 0; depth += 1) {
    const next: Program[] = []
    for (const script of scripts) next.push(...await namedBy(await copyOf(script)))
    scripts = next.filter(({ path }) => ![...programs, ...found].some((one) => one.path === path))
    found.push(...scripts as Program[])
  }
  return [...new Map(found.map((one) => [one.path, one])).values()]
}

async function namedBy(place: string): Promise<Program[]> {
  const file = await open(place, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(firstLine), 0, firstLine, 0)
    const [, name, rest = ''] = /^#![ \t]*([^\s\0]+)[ \t]*([^\n\0]*)/.exec(buffer.toString('latin1', 0, bytesRead)) ?? []
    if (name === undefined) return []
    const interpreter = await findProgram(name)
    if (!interpreter.names.includes('env')) return [interpreter]
    const program = /^(?:-S[ \t]+)?([^-\s=]\S*)/.exec(rest)?.[1]
    if (program === undefined || program.includes('=')) throw new Fault('refused', 'shell.program', `a script is started by ${JSON.stringify(`env ${rest.slice(0, 60)}`)}, which does not say plainly what it starts; write \`#!/usr/bin/env PROGRAM\` or \`#!/usr/bin/env -S PROGRAM ARGUMENTS\``)
    return [interpreter, await onPath(program)]
  } finally {
    await file.close()
  }
}

async function onPath(word: string): Promise<Program> {
  if (word.startsWith('/')) return await findProgram(word)
  for (const place of ['/usr/bin', '/bin']) {
    const program = await findProgram(`${place}/${word}`).catch(() => undefined)
    if (program) return program
  }
  throw new Fault('missing', 'shell.program', `a script is for ${JSON.stringify(word.slice(0, 60))}, which is not among the programs of the system`)
}
