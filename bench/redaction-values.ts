import { passesEan13, passesLuhn, passesMod11And10, passesMod97, weightedSum } from '../src/labels/detectors/check-digits.ts'

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const names = ['anna', 'jan.kowalski', 'm.lefevre', 'siobhan', 'info', 'o.brien+news', 'Paul_Weber', 'rechnung-2026', 'k.müller', 'x']
const hosts = ['museum.example', 'praxis-lindenhof.example', 'mail.halden.example', 'cabinet-dupont.example', 'uni.example.org', 'firma.example.com']
const months = { en: ['January', 'Mar', 'August', 'Oct.'], de: ['Januar', 'März', 'August', 'Okt.'], fr: ['janvier', 'mars', 'août', 'octobre'] }

/** Values of each kind in the forms in which people write them; what has check digits has right ones. */
export function valuesFrom(random: () => number): Record<string, () => string> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const digits = (count: number) => Array.from({ length: count }, () => Math.floor(random() * 10)).join('')
  const letters = (count: number, from = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789') => Array.from({ length: count }, () => pick([...from])).join('')
  const two = (from: number, to: number) => String(from + Math.floor(random() * (to - from + 1))).padStart(2, '0')
  /** Tries until it fits. */
  const until = (make: () => string, fits: (value: string) => boolean): string => {
    for (;;) {
      const made = make()
      if (fits(made)) return made
    }
  }
  const grouped = (value: string, sizes: readonly number[], gap: string) => {
    let at = 0
    return sizes.map((size) => value.slice(at, (at += size))).filter((part) => part !== '').join(gap)
  }
  const iban = (country: string, length: number) => {
    const value = until(() => country + digits(length - 2), passesMod97)
    return pick([value, grouped(value, [4, 4, 4, 4, 4, 4, 4], ' '), value.toLowerCase()])
  }
  const card = (first: string, length: number) => until(() => first + digits(length - first.length), passesLuhn)
  const date = (language: 'en' | 'de' | 'fr') => {
    const [day, month, year] = [two(1, 28), two(1, 12), String(1940 + Math.floor(random() * 65))]
    if (language === 'en') return pick([`${year}-${month}-${day}`, `${day}/${month}/${year}`, `${month}/${day}/${year}`, `${pick(months.en)} ${Number(day)}, ${year}`, `${Number(day)} ${pick(months.en)} ${year}`])
    if (language === 'de') return pick([`${day}.${month}.${year}`, `${Number(day)}.${Number(month)}.${year.slice(2)}`, `${Number(day)}. ${pick(months.de)} ${year}`])
    return pick([`${day}/${month}/${year}`, `${Number(day)} ${pick(months.fr)} ${year}`, `${day}.${month}.${year}`])
  }
  const repeatsOnce = (id: string) => {
    const counts = [...'0123456789'].map((digit) => id.slice(0, 10).split(digit).length - 1).filter((count) => count > 1)
    return counts.length === 1 && counts[0]! <= 3 && !/(\d)\1\1/.test(id.slice(0, 10))
  }
  const german = () => pick(['02', '15', '53', '65']) + two(1, 28) + two(1, 12) + digits(2)
  const germanInsurance = () => {
    const begun = german()
    const initial = pick([...'ABKMSW'])
    const serial = digits(2)
    const all = begun + String(initial.charCodeAt(0) - 64).padStart(2, '0') + serial
    const sum = [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1].map((weight, at) => weight * Number(all[at])).reduce((total, product) => total + (product % 10) + Math.floor(product / 10), 0)
    return pick([`${begun}${initial}${serial}${sum % 10}`, `${begun.slice(0, 2)} ${begun.slice(2)} ${initial} ${serial}${sum % 10}`])
  }
  const french = () => {
    const begun = pick(['1', '2']) + digits(2) + two(1, 12) + pick(['13', '31', '59', '69', '75']) + two(1, 99).padStart(3, '0') + digits(3)
    const whole = begun + String(97 - (Number(begun) % 97)).padStart(2, '0')
    return pick([whole, grouped(whole, [1, 2, 2, 2, 3, 3, 2], ' ')])
  }
  const identityCard = () => {
    const serial = until(() => letters(9, 'CFGHJKLMNPRTVWXYZ0123456789'), (value) => /^[A-Z](?:.*\d){4}/.test(value))
    return serial + ([...serial].reduce((sum, character, at) => sum + Number.parseInt(character, 36) * [7, 3, 1][at % 3]!, 0) % 10)
  }
  return {
    mail: () => `${pick(names)}@${pick(hosts)}`,
    phone_de: () => pick([`+49 ${digits(2).replace(/^0/, '3')} ${digits(7)}`, `030 ${digits(7)}`, `0171/${digits(7)}`, `+49 (0)431 ${digits(6)}`, `0171${digits(7)}`]),
    phone_en: () => pick([`+44 20 7946 0${digits(3)}`, `020 7946 0${digits(3)}`, `(415) 555-0${digits(3)}`, `415-555-0${digits(3)}`, `415.555.0${digits(3)}`, `+1 212 555 0${digits(3)}`]),
    phone_fr: () => pick([`+33 6 ${two(10, 99)} ${two(10, 99)} ${two(10, 99)} ${two(10, 99)}`, `06 ${two(10, 99)} ${two(10, 99)} ${two(10, 99)} ${two(10, 99)}`, `01.${two(10, 99)}.${two(10, 99)}.${two(10, 99)}.${two(10, 99)}`, `06${digits(8)}`]),
    iban: () => iban(...pick<readonly [string, number]>([['DE', 22], ['AT', 20], ['CH', 21], ['LT', 20], ['DK', 18]])),
    card: () => pick([card('4', 16), grouped(card('5' + pick([...'12345']), 16), [4, 4, 4, 4], ' '), card('37', 15)]),
    ip: () => pick([`192.168.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`, `2001:db8::${letters(4, '0123456789abcdef')}`, `fe80::${letters(4, '123456789abc')}:${letters(4, '123456789abc')}:1`]),
    mac: () => Array.from({ length: 6 }, () => letters(2, '0123456789ABCDEF')).join(pick([':', '-'])),
    born_en: () => date('en'),
    born_de: () => date('de'),
    born_fr: () => date('fr'),
    german_tax: () => {
      const id = until(() => digits(11).replace(/^0/, '3'), (value) => passesMod11And10(value) && repeatsOnce(value))
      return pick([id, grouped(id, [2, 3, 3, 3], ' ')])
    },
    german_insurance: germanInsurance,
    identity_card: identityCard,
    austrian: () => {
      const id = until(() => '1' + digits(3) + two(1, 28) + two(1, 12) + digits(2), (value) => weightedSum(value, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === Number(value[3]))
      return pick([id, grouped(id, [4, 6], ' ')])
    },
    swiss: () => {
      const id = until(() => '756' + digits(10), passesEan13)
      return pick([id, grouped(id, [3, 4, 4, 2], '.')])
    },
    french,
    nino: () => pick([`AB${digits(6)}C`, `JG ${digits(2)} ${digits(2)} ${digits(2)} A`]),
    nhs: () => {
      const id = until(() => digits(10), (value) => (11 - (weightedSum(value, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === Number(value[9]))
      return pick([id, grouped(id, [3, 3, 4], ' ')])
    },
    ssn: () => `${pick(['123', '412', '587'])}-${two(1, 99)}-${digits(4).replace('0000', '0001')}`,
    tfn: () => {
      const id = until(() => digits(9), (value) => weightedSum(value, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0)
      return pick([id, grouped(id, [3, 3, 3], ' ')])
    },
    medicare: () => grouped(until(() => '2' + digits(9), (value) => weightedSum(value, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(value[8])), [4, 5, 1], ' '),
    api_key: () => pick([['sk-', 'proj-'].join('') + letters(40), ['gh', 'p_'].join('') + letters(36), ['AKI', 'A'].join('') + letters(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')]),
    password: () => pick([letters(12) + '7q', letters(6, 'abcdefghij') + '!' + letters(4, 'klmnopqrst'), 'correcthorsebattery', letters(5, 'ABCDEFGHIJ') + letters(7, 'klmnopqrst')]),
    basic: () => Buffer.from(`${pick(['anna', 'root', 'deploy'])}:${letters(9)}`).toString('base64'),
    bearer: () => letters(32),
    db_url: () => `postgresql://anna:${letters(10)}@db.example:5432/shop`,
    base64_mail: () => Buffer.from(`please write to ${pick(['anna', 'paul'])}@${pick(hosts)}`).toString('base64'),
    // the forms that people use so that no program reads them
    spelled_mail: () => `${pick(['anna', 'paul'])} (at) ${pick(hosts)}`,
    // of things that only look like it
    order: () => pick([`#${digits(8)}`, `R-2026-${digits(5)}`, digits(10), `${digits(3)}-${digits(7)}-${digits(7)}`]),
    version: () => pick([`${digits(1)}.${digits(2)}.${digits(1)}`, `v${two(10, 30)}.${digits(1)}.${digits(1)}-rc.${digits(1)}`, `10.0.${digits(5)}.${digits(3)}7`]),
    hash: () => letters(pick([7, 40, 64]), '0123456789abcdef'),
    sha: () => `sha512-${Buffer.from(letters(64)).toString('base64')}`,
    uuid: () => [8, 4, 4, 4, 12].map((size) => letters(size, '0123456789abcdef')).join('-'),
    time: () => pick([`${two(0, 23)}:${two(0, 59)}:${two(0, 59)}`, `2026-${two(1, 12)}-${two(1, 28)}T${two(0, 23)}:${two(0, 59)}:${two(0, 59)}.${digits(3)}Z`, `${two(1, 28)}.${two(1, 12)}.2026`, `${two(1, 12)}/${two(1, 28)}/2026`]),
    price: () => pick([`${digits(3)}.${digits(2)} €`, `$1,${digits(3)},${digits(3)}.00`, `${digits(3)} ${digits(3)} ${digits(3)} EUR`, `CHF 1'${digits(3)}.–`]),
  }
}
