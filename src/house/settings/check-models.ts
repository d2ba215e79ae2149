import { isIPv4 } from 'node:net'
import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'

/** Upstreams that are not what their zone says, routes and lanes that name an upstream that is not there. */
export function checkModels(file: CastellanFile, source: YamlSource): Problem[] {
  const names = Object.keys(file.models.upstreams)
  return [
    ...Object.entries(file.models.upstreams).flatMap(([name, upstream]) => checkUpstream(name, upstream, source)),
    ...Object.entries(file.models.routes).flatMap(([task, targets]) =>
      targets.flatMap(({ upstream }, at) =>
        names.includes(upstream)
          ? []
          : [source.problem(['models', 'routes', task, at, 'upstream'], `the route ${task} goes to the upstream ${upstream}, which is not declared`, didYouMean(upstream, names))])),
    ...Object.entries(file.lanes).flatMap(([lane, { providers = [], cloud_clearance }]) =>
      providers.flatMap((provider, at) => {
        const path = ['lanes', lane, 'providers', at]
        const upstream = file.models.upstreams[provider]
        if (!upstream) return [source.problem(path, `the lane ${lane} allows the upstream ${provider}, which is not declared`, didYouMean(provider, names))]
        if (cloud_clearance === -1 && upstream.zone === 'cloud') {
          return [source.problem(path, `the lane ${lane} allows the cloud upstream ${provider} and has no cloud clearance`, 'remove it here, or raise cloud_clearance to P0 or P1')]
        }
        return []
      })),
  ]
}

function checkUpstream(name: string, upstream: CastellanFile['models']['upstreams'][string], source: YamlSource): Problem[] {
  const path = ['models', 'upstreams', name]
  const url = new URL(upstream.url)
  const problems: Problem[] = []
  if (url.username !== '' || url.password !== '') {
    problems.push(source.problem([...path, 'url'], `the address of ${name} carries a password`, 'put it into a secret and write key: { secret: NAME }'))
  }
  if (upstream.zone === 'machine' && !isLoopback(url.hostname) && !upstream.own) {
    problems.push(source.problem([...path, 'url'], `${name} is said to be on this machine, and ${url.hostname} is not this machine`,
      'write zone: mesh or zone: cloud; or own: true if that machine is your own and may see P3 local only'))
  }
  if (upstream.own && (upstream.zone !== 'machine' || isLoopback(url.hostname))) {
    problems.push(source.problem([...path, 'own'], 'own: true is for another machine of your own', 'use it with zone: machine and the address of that machine, or remove it'))
  }
  if (upstream.zone === 'cloud' && !upstream.key) {
    problems.push(source.problem(path, `the cloud upstream ${name} has no key`, 'write key: { secret: NAME } and put the key into $CASTELLAN_HOME/secrets/NAME', { at: 'key' }))
  }
  if ((upstream.zone === 'cloud' || upstream.zone === 'internet') && url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    problems.push(source.problem([...path, 'url'], `${name} would be asked over plain http across the internet`, 'write https://'))
  }
  return problems
}

/** Only addresses that cannot lead elsewhere: a name that a resolver answers could. `localhost` never leaves the machine (RFC 6761). */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}
