import assert from 'node:assert/strict'
import { basename } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { resolveCommand } from '../resolve-command.ts'
import { namesOf, outcomes, type ShellRule } from './command.ts'
import { judgeCommand } from './judge-command.ts'

const vault = '/srv/house/vault'
/** As if every program lay where it is named, once. */
const look = async (named: string | undefined) => ({ path: named!, sha256: '', names: namesOf(basename(named!)), privileged: named!.startsWith('/setuid/') })

async function judge(line: string | readonly string[], rules: readonly ShellRule[] = []) {
  const argv = typeof line === 'string' ? line.split(' ') : line
  return judgeCommand(await resolveCommand(argv, vault, look), { rules, open: [vault] })
}

async function judged(line: string | readonly string[], rules?: readonly ShellRule[]): Promise<string> {
  const { outcome, findings } = await judge(line, rules)
  return outcome === 'allowed' ? outcome : `${outcome}: ${findings.find((one) => one.outcome === outcome)!.rule}`
}

const b = '/usr/bin'
const table: Readonly<Record<string, readonly string[]>> = {
  allowed: [
    `${b}/cat note.md`, `${b}/du -sh ${vault}`, `${b}/ls ${vault}/old`, `${b}/git status --short`, `${b}/git -C ${vault} log --oneline -5`, `${b}/git diff HEAD~1 -Sword`, `${b}/find . -name *.md -size +1k`, `${b}/tar -tvf old.tar`, `${b}/tar tf old.tar note`, `${b}/tar -tzf old.tar --wildcards --full-time`, `${b}/tar --list --file=old.tar`, `${b}/git log --oneline --stat --since=yesterday`, `${b}/git diff --stat -M`, `${b}/git grep -n5 -e x`,
    `${b}/env LANG=C ${b}/ls`, `${b}/nice -n 5 ${b}/du`, `${b}/nice -5 ${b}/du`, `${b}/timeout -k 5 10s ${b}/cat x`, `${b}/nohup ${b}/cat x`, `${b}/stdbuf -oL ${b}/cat x`, `${b}/env -i - A=b ${b}/timeout 5 ${b}/nice ${b}/cat x`,
    `${b}/find . -type f -exec ${b}/cat {} ;`, `${b}/find . -exec ${b}/cat {} +`, '/bin/busybox cat x', `${b}/sed --sandbox s/a/b/ x`, `${b}/sqlite3 -safe -readonly db.sqlite`, `${b}/dpkg -l`, `${b}/sort -u x`, `${b}/dd if=x bs=1`,
    `${b}/cat /dev/null`, `${b}/pandoc -f markdown -t html a.md`, '/srv/house/scripts/mail.sh monday', '/srv/house/scripts/rm.py x', `${b}/grep -r etc/passwd .`, `${b}/cat https://example.org/usr`,
  ],
  'dry_run: removes': [
    `${b}/rm -rf old`, `${b}/shred x`, `${b}/git reset --hard HEAD~2`, `${b}/git clean -fdx`, `${b}/git branch -D old`, `${b}/git stash drop`, `${b}/find . -name x -delete`, `${b}/find . -exec ${b}/rm {} +`, `${b}/timeout 5 ${b}/rm x`,
    `${b}/env ${b}/nice ${b}/rm x`, '/bin/busybox rm x', '/bin/busybox env A=b /bin/busybox rm x', `${b}/sqlite3 -safe db.sqlite x`, `${b}/sqlite3 -safe -nullvalue -readonly db.sqlite x`, `${b}/truncate -s 0 x`,
  ],
  'dry_run: overwrites': [`${b}/mv a b`, `${b}/cp a b`, `${b}/tar -xf x.tar`, `${b}/tar xf x.tar`, `${b}/tar -xf x.tar note`, `${b}/tar xf t`, `${b}/tar -f t -x`, `${b}/tar -ft -x`, `${b}/tar -tvf x.tar --index-file=x`, `${b}/tar --list --index=x`, `${b}/dd if=a of=b`, `${b}/sed --sandbox -i s/a/b/ x`, `${b}/sort -o x x`, `${b}/sort --o x x`, `${b}/sort --outp=x x`, `${b}/sed --sandbox --in s/a/b/ x`, `${b}/find . -fprint x`, `${b}/git diff --output=x`, `${b}/git log --outp x`, `${b}/make all`],
  'dry_run: rights': [`${b}/chmod -R a+rwX .`, `${b}/chmod 0755 x`, `${b}/chmod g-w sites`, `${b}/chown me x`, `${b}/setfacl -m u:x:r x`, `${b}/find . -exec ${b}/chmod 777 {} ;`],
  'dry_run: exposes': ['/usr/sbin/nginx -c x', `${b}/nohup ${b}/caddy run`],
  'forbidden: privilege': [
    `${b}/sudo ls`, `${b}/su -c id`, `${b}/doas ls`, `${b}/pkexec ls`, `${b}/env ${b}/sudo ls`, `${b}/env -i A=b ${b}/nice -n 3 ${b}/sudo ls`, `${b}/timeout -s KILL 5 ${b}/su`, `${b}/find . -exec ${b}/sudo {} ;`, `${b}/find . -name x -ok ${b}/sudo rm {} ;`,
    '/bin/busybox su', '/bin/busybox timeout 5 /bin/busybox su', `${b}/nohup ${b}/unshare -r id`, `${b}/nsenter x`, `${b}/crontab -e`, '/setuid/helper', `${b}/env /setuid/helper`, `${b}/SUDO ls`, `${b}/setsid -f ${b}/setpriv x`, `${b}/chmod u+s x`, `${b}/chmod 4755 x`, `${b}/chmod a+rx,g+xs x`, `${b}/find . -exec ${b}/chmod 02755 {} ;`,
  ],
  'forbidden: scanner': [`${b}/nmap 10.0.0.0/8`, `${b}/masscan x`, `${b}/hping3 x`, `${b}/timeout 5 ${b}/tcpdump`, `${b}/nice ${b}/arp-scan -l`],
  'forbidden: remote': [`${b}/ssh host`, `${b}/scp a h:b`, `${b}/sftp h`, `${b}/curl example.org`, `${b}/nc.openbsd -l 80`, `${b}/env ${b}/ssh-copy-id h`, '/bin/busybox nc h 1', '/bin/busybox wget x', `${b}/git push`, `${b}/git -C x fetch`, `${b}/git clone x`],
  'forbidden: install': [`${b}/apt install x`, `${b}/apt-get update`, `${b}/dpkg -i x.deb`, `${b}/pip3 install x`, `${b}/pip3.12 install x`, `${b}/npm install -g x`, `${b}/snap install x`, `${b}/make install`, `${b}/cargo install x`, `${b}/env ${b}/apt-get install x`],
  'forbidden: machine': [`${b}/mount x y`, '/sbin/mkfs.ext4 x', '/sbin/iptables-nft -F', '/sbin/ip6tables -F', `${b}/systemctl stop x`, `${b}/docker run x`, `${b}/docker-compose up`, '/sbin/reboot', `${b}/ufw allow 22`, `${b}/qemu-system-x86_64`],
  'forbidden: interpreter': [
    '/bin/sh -c id', '/bin/bash x.sh', `${b}/python3.12 -c 1`, `${b}/perl -e 1`, `${b}/awk BEGIN{}`, `${b}/xargs ${b}/cat`, `${b}/env ${b}/sh -c id`, `${b}/nice ${b}/python3`, `${b}/find . -exec /bin/sh -c id ;`, '/bin/busybox sh -c id', '/bin/busybox awk x',
    `${b}/env ${b}/xargs x`, '/lib64/ld-linux-x86-64.so.2 /bin/ls', `${b}/parallel x`, `${b}/vim.basic x`, `${b}/strace ${b}/ls`, `${b}/flock x ${b}/ls`, `${b}/less x`, `${b}/script -c id`, `${b}/linux32 ${b}/ls`, `${b}/chronic ${b}/ls`, `${b}/pee ls`, `${b}/ifne ${b}/ls`, `${b}/zrun ls`, `${b}/hyperfine ls`, `${b}/gnuplot x`, `${b}/exiftool -if 1 x`, `${b}/cmake -P x`, `${b}/ninja`, `${b}/yash x`, `${b}/runcon x ${b}/ls`, `${b}/zless x`,
  ],
  'forbidden: hidden': [
    `${b}/env -S ls`, `${b}/env --split-string=ls`, `${b}/env -C x ${b}/ls`, `${b}/env LD_PRELOAD=./x.so ${b}/ls`, `${b}/env PATH=. ${b}/ls`, `${b}/env HOME=. ${b}/git status`, `${b}/env XDG_CONFIG_HOME=. ${b}/git status`, `${b}/env RIPGREP_CONFIG_PATH=x ${b}/rg y`, `${b}/env OPENSSL_CONF=x ${b}/openssl version`, `${b}/env MAKEFLAGS=--eval=x ${b}/make`,
    `${b}/env GNUMAKEFLAGS=-fx ${b}/make`, `${b}/env MAKEFILES=x ${b}/make`, `${b}/env ZIPOPT=-TT ${b}/zip x`, `${b}/env GCC_EXEC_PREFIX=. ${b}/gcc x`, `${b}/env COMPILER_PATH=. ${b}/gcc x`, `${b}/timeout --what 5 ${b}/ls`, `${b}/nice --adjust 5 ${b}/ls`, '/bin/busybox --install', `${b}/find . -exec {} ;`, `${b}/find . -name -exec -o -exec ${b}/cat {} ;`,
    `${b}/tar -cf x --checkpoint-action=exec=id .`, `${b}/tar --checkpoint-act exec=id -cf x .`, `${b}/tar -xIf p x`, `${b}/tar cf host:x .`, `${b}/tar -cfhost:x .`, `${b}/tar -t --file=host:x`, `${b}/tar --fil=me@host:x -t`, `${b}/sed s/a/b/e x`, `${b}/split --filter=id x`, `${b}/sort --compress-prog=id x`, `${b}/zip -TT id x`, `${b}/rsync -e id a b`,
    `${b}/rsync a host:b`, `${b}/git -c core.pager=id log`, `${b}/git lg`, `${b}/git --exec-path=x log`, `${b}/git grep -Oid x`, `${b}/git rebase -x id`, `${b}/git bisect run id`, `${b}/git diff --ext-diff`, `${b}/git grep --op=id x`, `${b}/git grep -5Oid x`, `${b}/git branch --e`, `${b}/git rebase --ex id`, `${b}/git rebase -C3xid`, `${b}/git tag -s x`, `${b}/git tag --sig x`, `${b}/git submodule foreach id`,
    `${b}/sqlite3 db.sqlite .shell`, `${b}/psql -c \\!id`, `${b}/rg --pre=id x`,
    `${b}/fd -0x id`, `${b}/fd -1Xid`, `${b}/rg -0z x`, `${b}/rsync -8e id a b`, `${b}/psql -0f x`, `${b}/zip -9TT id x`, `${b}/pandoc --filt=x a.md`, `${b}/pandoc -Lx a.md`, `${b}/pandoc -t x.lua a.md`, `${b}/gcc -specs=x a.c`,
    // where it is the value of another option, or a file, it switches nothing off
    `${b}/sed -f --sandbox x`, `${b}/sed -n -- 1e x --sandbox`, `${b}/sqlite3 -nullvalue -safe db.sqlite .shell`, `${b}/sqlite3 -cmd .shell -safe db.sqlite`, `${b}/sqlite3 -safe -init x db.sqlite`,
  ],
  'forbidden: system': [
    `${b}/cat /etc/passwd`, `${b}/cat ../../../etc/passwd`, `${b}/cat ${vault}/../../../etc/passwd`, `${b}/cat //etc//passwd`, `${b}/cat /srv/./../etc/passwd`, `${b}/cat --file=/etc/passwd`, `${b}/cat -f/etc/passwd`, `${b}/cat x:/root/.x`, `${b}/cat @/proc/1/environ`,
    `${b}/cat file:///etc/passwd`, `${b}/dd if=/dev/sda`, `${b}/du /`, `${b}/du /..`, `${b}/ls /var/lib`, `${b}/ls ~/.ssh`, `${b}/ls /home/me/.aws/credentials`, `${b}/cat -I../../../run/x`, `${b}/env ${b}/cat /etc/shadow`, `${b}/find /etc -exec ${b}/cat {} ;`, `${b}/cat x,/usr/lib/x`,
  ],
}

for (const [expected, lines] of Object.entries(table)) {
  test(`${expected}: ${lines.length} commands`, async () => {
    for (const line of lines) assert.equal(await judged(line), expected, line)
  })
}

test('what it says begins with the program and tells what to do', async () => {
  const { findings } = await judge(`${b}/env ${b}/sudo ls`)
  assert.deepEqual(findings, [{ outcome: 'forbidden', rule: 'privilege', program: `${b}/sudo`, why: 'runs things with other rights, or changes who has which; do it yourself at a terminal' }])
})

test('a program in a command is named by its whole path, or is not looked up at all', async () => {
  const strict = async (named: string | undefined) => (named?.startsWith('/') ? look(named) : Promise.reject(new Error(`looked up ${named}`)))
  await assert.rejects(resolveCommand([`${b}/env`, 'sudo'], vault, strict), { message: 'looked up sudo' })
  await assert.rejects(resolveCommand(Array<string>(20).fill(`${b}/nice`), vault, look), { code: 'shell.deep' })
})

test('a rule of the house makes things stricter and never milder', async () => {
  const rule = (program: string, outcome: 'dry_run' | 'forbidden', args: string[] = []): ShellRule => ({ program, arguments: args, outcome, reason: 'said so' })
  assert.equal(await judged(`${b}/borg prune x`, [rule('borg', 'dry_run', ['prune*'])]), 'dry_run: house')
  assert.equal(await judged(`${b}/borg list x`, [rule('borg', 'dry_run', ['prune*'])]), 'allowed')
  assert.equal(await judged(`${b}/nice ${b}/borg prune x`, [rule('/usr/bin/borg*', 'forbidden')]), 'forbidden: house')
  assert.equal(await judged(`${b}/sudo x`, [rule('sudo', 'dry_run')]), 'forbidden: privilege')
  assert.equal(await judged(`${b}/rm x`, [rule('rm', 'forbidden')]), 'forbidden: house')
})

test('no wrapper around a command makes it milder', async () => {
  const inner = fc.constantFrom(...Object.values(table).flat().filter((line) => !line.includes(';') && !line.includes('+'))).map((line) => line.split(' '))
  const wrapper = fc.constantFrom(['env'], ['env', '-i', 'A=b'], ['nice', '-n', '3'], ['timeout', '--foreground', '-k', '1', '5'], ['nohup'], ['setsid', '-w'], ['stdbuf', '-oL'], ['ionice', '-c3'], ['taskset', '-c', '0'], ['time', '-p'], ['busybox', 'timeout', '3'])
  await fc.assert(fc.asyncProperty(inner, fc.array(wrapper, { minLength: 1, maxLength: 4 }), async (command, wrappers) => {
    const [bare, wrapped] = await Promise.all([judge(command), judge([...wrappers.flatMap(([name, ...rest]) => [`${b}/${name}`, ...rest]), ...command])])
    assert.ok(outcomes.indexOf(wrapped.outcome) >= outcomes.indexOf(bare.outcome), JSON.stringify(wrapped))
  }), { numRuns: 300 })
})
