import { completeLabel } from './complete-label.ts'
import type { LabelRule } from './house.ts'
import type { LabelsFile } from './labels-file.ts'
import type { Problem } from './problem.ts'
import type { CastellanFile } from './settings/castellan-file.ts'
import { builtInLanes } from './settings/to-lanes.ts'
import { didYouMean } from './suggest.ts'
import type { YamlSource } from './yaml-source.ts'

/** Rules about folders, accounts and lanes that are not there, or that could never apply. */
export function checkLabelRules(rules: LabelsFile, castellan: CastellanFile, source: YamlSource): Problem[] {
  const folders = Object.keys(castellan.folders)
  const accounts = Object.keys(castellan.mail.accounts)
  const lanes = [...new Set([...Object.keys(castellan.lanes), ...builtInLanes])]
  return rules.flatMap((rule, at) => {
    const problems: Problem[] = []
    if (rule.folder !== undefined) {
      const [name, ...rest] = rule.folder.split('/')
      if (!folders.includes(name!)) problems.push(source.problem([at, 'folder'], `the folder ${name} is not declared in castellan.yaml`, didYouMean(name!, folders)))
      if (rest.some((part) => ['', '.', '..'].includes(part))) problems.push(source.problem([at, 'folder'], `${rule.folder} is not a path in the folder ${name}`, `write e.g. ${name}/public`))
      const hidden = rules.slice(0, at).find((before) => before.folder !== undefined && `${rule.folder}/`.startsWith(`${before.folder}/`))
      if (hidden) problems.push(source.problem([at, 'folder'], `this rule never applies: the rule for ${hidden.folder} before it decides`, 'put the narrower rule first'))
    }
    if (rule.account !== undefined && !accounts.includes(rule.account)) {
      problems.push(source.problem([at, 'account'], `the mail account ${rule.account} is not declared in castellan.yaml`, didYouMean(rule.account, accounts)))
    }
    for (const [index, lane] of (rule.lanes ?? []).entries()) {
      if (!lanes.includes(lane)) problems.push(source.problem([at, 'lanes', index], `the lane ${lane} is not declared`, didYouMean(lane, lanes)))
    }
    return problems
  })
}

/** Checked rules in the terms of the source; what a rule about a folder leaves out is as the folder has it. */
export function toLabelRules(rules: LabelsFile, castellan: CastellanFile): LabelRule[] {
  return rules.map((rule): LabelRule => {
    if (rule.folder !== undefined) {
      const folder = castellan.folders[rule.folder.split('/')[0]!]!
      return { folder: rule.folder, label: completeLabel({ level: rule.label, integrity: rule.integrity ?? folder.integrity, lanes: rule.lanes ?? folder.lanes }) }
    }
    const { account, from, to, subject } = rule
    return { source: 'mail', ...(account && { account }), ...(from && { from }), ...(to && { to }), ...(subject && { subject }), level: rule.label }
  })
}
