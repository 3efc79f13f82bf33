// Cronofy's own SDK for Node.js against `invitemailer sandbox`, unchanged but for the URL: the three calls of Smart Invites, its errors, and
// the callback that follows an answer by mail, checked with the SDK's own function.

const assert = require('node:assert/strict')
const { spawn } = require('node:child_process')
const { mkdtempSync, rmSync } = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { createInterface } = require('node:readline')
const { after, before, test } = require('node:test')
const Cronofy = require('cronofy')

const recipient = { email: 'ann@example.org' }
const event = {
  summary: 'Interview', start: '2087-04-29T09:30:00Z', end: '2087-04-29T10:00:00Z', tzid: 'Europe/London', location: { description: 'Third floor' },
}
let dir, sandbox, env, client, receiver, callback, client_secret

before(async () => {
  dir = mkdtempSync(join(tmpdir(), 'sdk-'))
  let heard
  callback = new Promise((resolve) => { heard = resolve })
  receiver = http.createServer((request, response) => {
    const body = []
    request.on('data', (part) => body.push(part))
    request.on('end', () => { response.end(); heard({ body: Buffer.concat(body).toString(), signature: request.headers['cronofy-hmac-sha256'] }) })
  })
  await new Promise((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  sandbox = spawn(process.env.INVITEMAILER, ['sandbox', '--api-addr=127.0.0.1:0', '--smtp-addr=127.0.0.1:0', '--page-addr=127.0.0.1:0'],
    { cwd: dir, env: { PATH: process.env.PATH, HOME: dir }, stdio: ['ignore', 'pipe', 'ignore'] })
  env = {}
  for await (const line of createInterface({ input: sandbox.stdout })) {
    const [, name, value] = line.match(/^([A-Z_]+)=(.*)$/) ?? []
    if (name) env[name] = value
    if (name === 'INVITEMAILER_LEDGER') break // the last one
  }
  client_secret = env.CRONOFY_API_KEY
  client = new Cronofy({ client_id: 'unused', client_secret })
  client.urls.api = env.CRONOFY_API_URL
})

after(async () => {
  receiver.close()
  receiver.closeAllConnections()
  const ended = new Promise((resolve) => sandbox.on('close', resolve))
  sandbox.kill('SIGTERM')
  await ended
  rmSync(dir, { recursive: true })
})

test('create, status, answer by mail, callback, cancel', async () => {
  const invite = { client_secret, smart_invite_id: 'interview-1', recipient }
  const created = await client.createSmartInvite({ ...invite, event, callback_url: `http://127.0.0.1:${receiver.address().port}/` })
  assert.equal(created.recipient.status, 'pending')
  assert.match(created.attachments.icalendar, /METHOD:REQUEST/)

  const uid = created.attachments.icalendar.match(/UID:(\S+)/)[1]
  await submit(recipient.email, env.ORGANIZER_EMAIL, reply(uid))
  const { body, signature } = await callback
  assert.ok(client.hmacValid({ hmac: signature, body, client_secret }), 'signed with the secret')
  assert.ok(!client.hmacValid({ hmac: signature, body: body + ' ', client_secret }))
  assert.equal(JSON.parse(body).smart_invite.recipient.status, 'accepted')

  const status = await client.getSmartInvite({ client_secret, smart_invite_id: 'interview-1', recipient_email: recipient.email })
  assert.equal(status.recipient.status, 'accepted')

  const cancelled = await client.cancelSmartInvite(invite)
  assert.match(cancelled.attachments.icalendar, /METHOD:CANCEL/)
})

for (const [name, statusCode, call] of [
  ['a wrong key', 401, () => client.createSmartInvite({ client_secret: 'wrong', smart_invite_id: 'interview-2', recipient, event })],
  ['an event without times', 422, () => client.createSmartInvite({ client_secret, smart_invite_id: 'interview-2', recipient, event: { summary: 'When?' } })],
  ['an unknown invite', 404, () => client.getSmartInvite({ client_secret, smart_invite_id: 'nobody', recipient_email: recipient.email })],
]) {
  test(name, async () => {
    const error = await call().then(() => assert.fail('no error'), (e) => e)
    assert.equal(error.statusCode, statusCode, error.message)
    if (statusCode === 422) assert.equal(error.error.entity.errors['event.start'][0].key, 'errors.required')
  })
}

// reply is what a mail program answers (RFC 6047).
function reply (uid) {
  return [
    `From: ${recipient.email}`, `To: ${env.ORGANIZER_EMAIL}`, 'Subject: Accepted: Interview', 'Date: Mon, 23 Nov 2026 10:00:00 +0000',
    'Message-ID: <answer@example.org>', 'MIME-Version: 1.0', 'Content-Type: text/calendar; charset=utf-8; method=REPLY', '',
    'BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//example//EN', 'METHOD:REPLY', 'BEGIN:VEVENT', `UID:${uid}`, 'SEQUENCE:0', 'DTSTAMP:20261123T100000Z',
    'DTSTART:20870429T093000Z', `ORGANIZER:mailto:${env.ORGANIZER_EMAIL}`, `ATTENDEE;PARTSTAT=ACCEPTED:mailto:${recipient.email}`,
    'END:VEVENT', 'END:VCALENDAR', '',
  ].join('\r\n')
}

// submit hands a mail over, a command at a time (RFC 5321).
async function submit (from, to, mail) {
  const socket = net.connect(Number(env.SMTP_PORT), env.SMTP_HOST)
  const say = ['EHLO sdk.example', `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, 'DATA', `${mail}.`, 'QUIT']
  for await (const line of createInterface({ input: socket })) {
    if (line[3] === '-') continue
    assert.match(line, /^[23]/)
    if (say.length === 0) break
    socket.write(`${say.shift()}\r\n`)
  }
  socket.end()
}
