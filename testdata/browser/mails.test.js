// Every language and kind of mail, in the forms of the templates' golden files.

import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { accessible, Browser, fits, known, quiet, screens, seen, show } from './browser.js'

const mails = known('MAILS')
const kinds = ['invitation', 'update', 'cancellation', 'withdrawal']

// What a reader of each language must see: the hour of their own clocks, and that a cancelled event is.
const languages = {
  ar: { dir: 'rtl', hour: '11:30 ص', cancelled: 'ملغى', withdrawn: 'دعوتكم ملغاة' },
  de: { dir: 'ltr', hour: '10:30', cancelled: 'Abgesagt', withdrawn: 'abgesagt' },
  en: { dir: 'ltr', hour: '09:30', cancelled: 'Cancelled', withdrawn: 'cancelled' },
  es: { dir: 'ltr', hour: '2:30', cancelled: 'Cancelado', withdrawn: 'cancelada' },
  fr: { dir: 'ltr', hour: '10:30', cancelled: 'Annulé', withdrawn: 'annulée' },
  ja: { dir: 'ltr', hour: '17:30', cancelled: 'キャンセル', withdrawn: 'キャンセル' },
}

// A mail is part of a page of its client: that page has the landmarks.
const inClient = { rules: { 'landmark-one-main': { enabled: false }, region: { enabled: false } } }

// broken are the labels of facts that take more lines than they have words.
const broken = (page) =>
  page.$$eval('td.quiet', (cells) =>
    cells
      .filter((cell) => {
        const range = document.createRange()
        range.selectNodeContents(cell)
        const lines = new Set([...range.getClientRects()].map(({ top }) => top))
        return lines.size > cell.innerText.trim().split(/\s+/).length
      })
      .map((cell) => cell.innerText),
  )

describe('mails', { concurrency: 2 }, () => {
  let browser
  before(async () => {
    browser = await Browser.open()
  })
  after(() => browser.close())

  test('every language is looked at', () => {
    const there = readdirSync(mails, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== 'fuzz')
    assert.deepEqual(there.map(({ name }) => name).sort(), Object.keys(languages))
  })

  for (const screen of screens) {
    describe(`${screen.scheme}, ${screen.width} px`, { concurrency: 1 }, () => {
      let page
      before(async () => {
        page = await browser.page(screen)
      })
      after(() => page.context().close())

      for (const [lang, words] of Object.entries(languages)) {
        for (const kind of kinds) {
          test(`${lang} ${kind}`, async () => {
            await show(page, join(mails, lang, `${kind}.html`))
            const text = await seen(page)
            for (const want of ['Board meeting', 'Board room', '2027', words.hour]) {
              assert.ok(text.includes(want), `${want} is not visible in: ${text}`)
            }
            if (kind === 'cancellation') assert.ok(text.startsWith(words.cancelled), `it begins: ${text.slice(0, 80)}`)
            if (kind === 'withdrawal') assert.ok(text.includes(words.withdrawn), text)
            const [tag, dir, ground] = await page.evaluate(() => [
              document.documentElement.lang,
              document.documentElement.dir,
              getComputedStyle(document.body).backgroundColor,
            ])
            assert.deepEqual([tag, dir], [lang, words.dir])
            const [brightness] = ground.match(/\d+/).map(Number)
            assert.equal(brightness < 128 ? 'dark' : 'light', screen.scheme, `the background is ${ground}`)
            // Japanese has no spaces: its lines may end between any two characters.
            if (lang !== 'ja') assert.deepEqual(await broken(page), [], 'labels that are broken within a word')
            await fits(page)
            await accessible(page, inClient)
            quiet(browser, page)
          })
        }
      }
    })
  }
})
