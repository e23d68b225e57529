import { type Chance, seededRandom } from "../seededRandom.ts";

/** One text with a secret in it, and the rule that has to see it. */
export type SecretSample = { rule: string; text: string; secret: string };

const digits = "0123456789";
const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = lower.toUpperCase();
const alphanumeric = digits + lower + upper;
const urlSafe = `${alphanumeric}_-`;
const base64 = `${alphanumeric}+/`;
const hex = "0123456789abcdef";

const some = (chance: Chance, characters: string, count: number): string =>
  Array.from({ length: count }, () => chance.oneOf([...characters])).join("");

/** Prefixes stand in two parts, so that this file holds nothing that looks like a token. */
const tokens: Record<string, (chance: Chance) => string> = {
  "aws-access-key": (c) => `${"AK"}IA${some(c, `${upper}234567`, 16)}`,
  "github-token": (c) =>
    `${c.oneOf(["gh" + "p_", "gh" + "o_", "gh" + "s_"])}${some(c, alphanumeric, 36)}`,
  "github-fine-grained-token": (c) =>
    `${"github"}_pat_${some(c, alphanumeric, 22)}_${some(c, alphanumeric, 59)}`,
  "gitlab-token": (c) => `${"gl"}pat-${some(c, urlSafe, 20)}`,
  "slack-token": (c) =>
    `${"xo"}xb-${some(c, digits, 12)}-${some(c, digits, 12)}-${some(c, alphanumeric, 24)}`,
  "slack-webhook": (c) =>
    `https://hooks.${"slack"}.com/services/T${some(c, upper, 8)}/B${some(c, upper, 8)}/${some(c, alphanumeric, 24)}`,
  "stripe-key": (c) => `${c.oneOf(["sk", "rk"])}_${"li"}ve_${some(c, alphanumeric, 24)}`,
  "signing-secret": (c) => `${"wh"}sec_${some(c, base64, 43)}=`,
  "openai-key": (c) =>
    c.oneOf([
      `${"sk"}-proj-${some(c, urlSafe, 74)}${"T3Blbk"}FJ${some(c, urlSafe, 74)}`,
      `${"sk"}-${some(c, alphanumeric, 20)}${"T3Blbk"}FJ${some(c, alphanumeric, 20)}`,
      `${"sk"}-${some(c, alphanumeric, 48)}`,
    ]),
  "anthropic-key": (c) => `${"sk"}-ant-api03-${some(c, urlSafe, 93)}AA`,
  "openrouter-key": (c) => `${"sk"}-or-v1-${some(c, hex, 64)}`,
  "google-api-key": (c) => `${"AI"}za${some(c, urlSafe, 35)}`,
  "google-oauth-secret": (c) => `${"GOC"}SPX-${some(c, urlSafe, 28)}`,
  "npm-token": (c) => `${"np"}m_${some(c, alphanumeric, 36)}`,
  "pypi-token": (c) => `${"py"}pi-AgEIcHlwaS5vcmc${some(c, urlSafe, 150)}`,
  "rubygems-token": (c) => `${"ruby"}gems_${some(c, hex, 48)}`,
  "docker-token": (c) => `${"dckr"}_pat_${some(c, urlSafe, 27)}`,
  "sendgrid-key": (c) => `${"S"}G.${some(c, urlSafe, 22)}.${some(c, urlSafe, 43)}`,
  "digitalocean-token": (c) => `${"do"}p_v1_${some(c, hex, 64)}`,
  "hugging-face-token": (c) => `${"h"}f_${some(c, lower + upper, 34)}`,
  "databricks-token": (c) => `${"da"}pi${some(c, hex, 32)}`,
  "shopify-token": (c) => `${"shp"}at_${some(c, hex, 32)}`,
  "telegram-bot-token": (c) => `${some(c, "123456789", 10)}:${"A"}A${some(c, urlSafe, 33)}`,
  "discord-webhook": (c) =>
    `https://${"disc"}ord.com/api/webhooks/${some(c, "123456789", 18)}/${some(c, urlSafe, 68)}`,
  "doppler-token": (c) => `${"dp"}.pt.${some(c, alphanumeric, 43)}`,
  "grafana-token": (c) => `${"gl"}sa_${some(c, alphanumeric, 32)}_${some(c, hex, 8)}`,
  "vault-token": (c) => `${"hv"}s.${some(c, urlSafe, 95)}`,
  "linear-key": (c) => `${"lin"}_api_${some(c, alphanumeric, 40)}`,
  "new-relic-key": (c) => `${"NR"}AK-${some(c, upper + digits, 27)}`,
  "postman-key": (c) => `${"PM"}AK-${some(c, hex, 24)}-${some(c, hex, 34)}`,
  "pulumi-token": (c) => `${"p"}ul-${some(c, hex, 40)}`,
  "sentry-token": (c) => `${"sntr"}yu_${some(c, hex, 64)}`,
  "supabase-token": (c) => `${"sb"}p_${some(c, hex, 40)}`,
  "age-key": (c) => `${"AGE"}-SECRET-KEY-1${some(c, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58)}`,
  "azure-storage-key": (c) => `${"Account"}Key=${some(c, base64, 86)}==`,
  "switchyard-token": (c) => `${"sw"}y_${some(c, urlSafe, 43)}`,
  "json-web-token": (c) =>
    `${"ey"}J${some(c, alphanumeric, 33)}.${"ey"}J${some(c, alphanumeric, 90)}.${some(c, urlSafe, 43)}`,
};

/** Where tokens stand in code, settings and documents. */
const places: readonly ((secret: string) => string)[] = [
  (secret) => `const key = "${secret}";`,
  (secret) => `  key: ${secret}`,
  (secret) => `export KEY=${secret}`,
  (secret) => `{"key":"${secret}","other":1}`,
  (secret) => `curl -H 'x-key: ${secret}' https://api.test/v1`,
];

const keyBytes = (c: Chance, lines: number) =>
  Array.from({ length: lines }, () => some(c, base64, 64));
const keyHead = (kind: string) => `-----${"BEGIN"} ${kind}PRIVATE KEY-----`;

/** Secrets that are known by what stands around them: the text, and the secret in it. */
const surrounded: Record<string, (chance: Chance) => [string, string][]> = {
  "private-key": (c) => {
    const [first = "", second = ""] = keyBytes(c, 2);
    return [
      [`${keyHead("RSA ")}\n${first}\n${second}`, first],
      [`${keyHead("OPENSSH ")}\r\n${first}\r\n`, first],
      [`"key": "${keyHead("")}\\n${first}\\n${second}"`, first],
      [`const key = "${keyHead("EC ")}\\n" +\n  "${first}\\n"`, first],
      [`${keyHead("RSA ")}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${first}`, first],
    ];
  },
  "aws-secret-key": (c) => {
    const secret = some(c, base64, 40);
    return [
      [`aws_secret_access_key = ${secret}`, secret],
      [`AWS_SECRET_ACCESS_KEY="${secret}"`, secret],
      [`awsSecretKey: '${secret}'`, secret],
    ];
  },
  "url-password": (c) => {
    const secret = some(c, alphanumeric, 16);
    return [
      [`postgres://app:${secret}@db.internal:5432/app`, secret],
      [`REDIS_URL=redis://:${secret}@cache:6379`, secret],
    ];
  },
  "authorization-header": (c) => {
    const secret = some(c, base64, 40);
    return [
      [`headers: { Authorization: "Bearer ${secret}" }`, secret],
      [`-H "Authorization: Basic ${secret}=="`, secret],
    ];
  },
  "generic-secret": (c) => {
    const secret = some(c, alphanumeric, 20);
    return [
      [`password = "${secret}"`, secret],
      [`const dbPassword = '${secret}!';`, secret],
      [`"client_secret": "${secret}"`, secret],
      [`api_key: '${secret}'`, secret],
      [`settings["auth-token"] = "${secret}"`, secret],
      [`SECRET_KEY_BASE := "${secret}"`, secret],
    ];
  },
  "environment-secret": (c) => {
    const secret = some(c, alphanumeric, 24);
    return [
      [`DB_PASSWORD=${secret}`, secret],
      [`ENV STRIPE_API_KEY=${secret}`, secret],
      [`export APP_SECRET=${secret}\n`, secret],
    ];
  },
};

/** The same samples in every run: each rule, in each place that its secret can stand in. */
export function secretSamples(seed = 1): SecretSample[] {
  const chance = seededRandom(seed);
  const ofTokens = Object.entries(tokens).flatMap(([rule, make]) =>
    places.map((place) => {
      const secret = make(chance);
      return { rule, text: place(secret), secret };
    }),
  );
  const ofSurroundings = Object.entries(surrounded).flatMap(([rule, make]) =>
    make(chance).map(([text, secret]) => ({ rule, text, secret })),
  );
  return [...ofTokens, ...ofSurroundings];
}
