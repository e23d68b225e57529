/** One form of a secret. */
export type SecretRule = {
  /** What a finding and a project's `ignoreRules` call it. */
  name: string;
  /** In lower case. A text without any of them is not searched: the prefilter. */
  keywords: readonly string[];
  /**
   * With the flag g. Group 1 is the secret, else the whole match. It runs in linear time: every repetition has a
   * bound or begins where none of its own characters stands before it.
   */
  pattern: RegExp;
  /** Bits a character; a match below it is no secret. */
  minEntropy?: number;
  /** How many characters after its keyword it may end; absent = 1,024. */
  reach?: number;
  /** True for words that people choose: names, references and examples are told apart from values. */
  isGeneric?: true;
};

/** A token stands alone: it is no part of a longer word. */
const token = (body: string, flags = "g") =>
  new RegExp(`(?<![A-Za-z0-9_-])(${body})(?![A-Za-z0-9_-])`, flags);

const rule = (
  name: string,
  keywords: readonly string[],
  pattern: RegExp,
  more: Partial<SecretRule> = {},
): SecretRule => ({ name, keywords, pattern, ...more });

const random = { minEntropy: 3 };

/** The known forms of tokens, by their prefix. */
const tokenRules: readonly SecretRule[] = [
  rule(
    "aws-access-key",
    ["akia", "asia", "abia", "acca"],
    token("(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    random,
  ),
  rule(
    "github-token",
    ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
    token("gh[pousr]_[A-Za-z0-9]{36,255}"),
    random,
  ),
  rule(
    "github-fine-grained-token",
    ["github_pat_"],
    token("github_pat_[A-Za-z0-9_]{60,255}"),
    random,
  ),
  rule(
    "gitlab-token",
    [
      "glpat-",
      "gldt-",
      "glrt-",
      "glcbt-",
      "glptt-",
      "glft-",
      "glsoat-",
      "glimt-",
      "glagent-",
      "gloas-",
    ],
    token("gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas)-[A-Za-z0-9_.-]{20,300}"),
    random,
  ),
  rule(
    "slack-token",
    ["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xapp-", "xoxe."],
    token(
      "xox[abeoprs][.-](?:xox[bp]-)?[0-9A-Za-z-]{20,400}|xapp-[0-9]-[A-Z0-9]{8,20}-[0-9]{8,20}-[a-z0-9]{32,128}",
    ),
    random,
  ),
  rule(
    "slack-webhook",
    ["hooks.slack.com"],
    /(hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/]{40,100})/g,
    random,
  ),
  rule(
    "stripe-key",
    ["sk_live_", "rk_live_", "sk_test_", "rk_test_"],
    token("[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    random,
  ),
  rule(
    "signing-secret",
    ["whsec_"],
    /(?<![A-Za-z0-9_-])(whsec_[A-Za-z0-9+/]{32,120}={0,2})/g,
    random,
  ),
  rule(
    "openai-key",
    ["sk-proj-", "sk-svcacct-", "sk-admin-", "t3blbkfj", "sk-"],
    token(
      "sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,255}|sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}|sk-[A-Za-z0-9]{48}",
    ),
    random,
  ),
  rule("anthropic-key", ["sk-ant-"], token("sk-ant-[a-z0-9]{2,12}-[A-Za-z0-9_-]{32,255}"), random),
  rule("openrouter-key", ["sk-or-v1-"], token("sk-or-v1-[0-9a-f]{64}"), random),
  rule("google-api-key", ["aiza"], token("AIza[A-Za-z0-9_-]{35}"), random),
  rule("google-oauth-secret", ["gocspx-"], token("GOCSPX-[A-Za-z0-9_-]{28}"), random),
  rule("npm-token", ["npm_"], token("npm_[A-Za-z0-9]{36}"), random),
  rule("pypi-token", ["pypi-age"], token("pypi-AgE[A-Za-z0-9_-]{50,1000}"), random),
  rule("rubygems-token", ["rubygems_"], token("rubygems_[a-f0-9]{48}"), random),
  rule(
    "docker-token",
    ["dckr_pat_", "dckr_oat_"],
    token("dckr_[po]at_[A-Za-z0-9_-]{27,64}"),
    random,
  ),
  rule("sendgrid-key", ["sg."], token("SG\\.[A-Za-z0-9_-]{22}\\.[A-Za-z0-9_-]{43}"), random),
  rule(
    "digitalocean-token",
    ["dop_v1_", "doo_v1_", "dor_v1_"],
    token("do[opr]_v1_[a-f0-9]{64}"),
    random,
  ),
  rule("hugging-face-token", ["hf_"], token("hf_[A-Za-z0-9]{34,40}"), random),
  rule("databricks-token", ["dapi"], token("dapi[a-f0-9]{32}(?:-[0-9])?"), random),
  rule(
    "shopify-token",
    ["shpat_", "shpca_", "shppa_", "shpss_"],
    token("shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    random,
  ),
  rule("telegram-bot-token", [":aa"], token("[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"), random),
  rule(
    "discord-webhook",
    ["/api/webhooks/"],
    /(discord(?:app)?\.com\/api\/webhooks\/[0-9]{15,22}\/[A-Za-z0-9_-]{60,80})/g,
    random,
  ),
  rule("doppler-token", ["dp.pt."], token("dp\\.pt\\.[A-Za-z0-9]{40,50}"), random),
  rule(
    "grafana-token",
    ["glsa_", "glc_ey"],
    token("glsa_[A-Za-z0-9]{32}_[a-fA-F0-9]{8}|glc_ey[A-Za-z0-9+/]{32,400}"),
    random,
  ),
  rule("vault-token", ["hvs.", "hvb."], token("hv[bs]\\.[A-Za-z0-9_-]{90,300}"), random),
  rule("linear-key", ["lin_api_"], token("lin_api_[A-Za-z0-9]{40}"), random),
  rule("new-relic-key", ["nrak-"], token("NRAK-[A-Z0-9]{27}"), random),
  rule("postman-key", ["pmak-"], token("PMAK-[a-f0-9]{24}-[a-f0-9]{34}"), random),
  rule("pulumi-token", ["pul-"], token("pul-[a-f0-9]{40}"), random),
  rule(
    "sentry-token",
    ["sntrys_", "sntryu_"],
    token("sntrys_eyJ[A-Za-z0-9=_+/-]{60,400}|sntryu_[a-f0-9]{64}"),
    random,
  ),
  rule("supabase-token", ["sbp_"], token("sbp_[a-f0-9]{40}"), random),
  rule(
    "age-key",
    ["age-secret-key-1"],
    token("AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
    random,
  ),
  rule("azure-storage-key", ["accountkey="], /AccountKey=([A-Za-z0-9+/]{86}==)/g, random),
  rule("switchyard-token", ["swy_"], token("swy_[A-Za-z0-9_-]{43}"), random),
];

/** Forms that are known by what stands around the secret. */
const shapeRules: readonly SecretRule[] = [
  rule(
    "private-key",
    ["private key"],
    // Its first line, what may stand between, and the beginning of its bytes: on the next line or in the same literal.
    /-----BEGIN [A-Z0-9 ]{0,60}PRIVATE KEY(?: BLOCK)?-----(?:[\s"'`+,]|\\[nr]){0,40}(?:[A-Z][A-Za-z-]{1,20}: [^\n\\]{0,100}(?:\n|\\[nr])(?:[\s"'`+,]|\\[nr]){0,40}){0,4}([A-Za-z0-9+/]{32,80})/g,
    random,
  ),
  rule(
    "json-web-token",
    ["eyj"],
    /(?<![A-Za-z0-9_-])(eyJ[A-Za-z0-9_-]{10,3000}\.eyJ[A-Za-z0-9_-]{10,3000}\.[A-Za-z0-9_-]{16,1000})/g,
    { ...random, reach: 8_192 },
  ),
  rule(
    "aws-secret-key",
    ["aws"],
    /aws[a-z0-9_. -]{0,30}(?:secret|access|key)[a-z0-9_. -]{0,30}["'`]?[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3}["'`]?([A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])/gi,
    { minEntropy: 4 },
  ),
  rule(
    "url-password",
    ["://"],
    /(?<![a-z0-9+])[a-z][a-z0-9+]{1,20}:\/\/[^\s/:@"'`<>{}$]{0,60}:([^\s/:@"'`<>{}$()]{8,120})@[a-z0-9[]/gi,
    { minEntropy: 3, isGeneric: true },
  ),
  rule(
    "authorization-header",
    ["bearer ", "basic "],
    /\bauthorization["'`]?[ \t]{0,3}[:=,][ \t]{0,3}["'`]?(?:bearer|basic|token)[ \t]{1,3}([A-Za-z0-9+/_.~-]{20,400}={0,2})/gi,
    { minEntropy: 3.7, isGeneric: true },
  ),
];

const genericNames =
  "(?:passwords?|passwd|pass_?phrase|pwd|secrets?|tokens?|api[_-]?keys?|access[_-]?keys?|auth[_-]?keys?|private[_-]?keys?|credentials?)";
const genericKeywords = [
  ...["passw", "passphrase", "pass_phrase", "pwd", "secret", "token", "credential"],
  ...["apikey", "api_key", "api-key", "accesskey", "access_key", "access-key"],
  ...["authkey", "auth_key", "auth-key", "privatekey", "private_key", "private-key"],
];

/** A value given to a name that says that it is secret. */
const genericRules: readonly SecretRule[] = [
  rule(
    "generic-secret",
    genericKeywords,
    new RegExp(
      `${genericNames}(?:[_-][a-z0-9]{1,20}){0,2}["'\`]?\\]?[ \\t]{0,5}(?::=|=>|[:=])[ \\t]{0,5}["'\`]([^\\s"'\`]{10,200})["'\`]`,
      "gi",
    ),
    { minEntropy: 3.3, isGeneric: true },
  ),
  rule(
    "environment-secret",
    genericKeywords,
    // NAME=value of .env files, shells and images, without quotes.
    /(?<![A-Za-z0-9_])[A-Z0-9_]{0,40}(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_[A-Z0-9]{1,20}){0,2}=([^\s"'`$<>{}()[\];,\\]{12,200})(?![^\s"'`;,\\])/g,
    { minEntropy: 3.5, isGeneric: true },
  ),
];

export const secretRules: readonly SecretRule[] = [...tokenRules, ...shapeRules, ...genericRules];
