"""What people type who want to see something break."""

SQL = (
    "' or '1'='1",
    "'; drop table filings; --",
    '" union select null, version() --',
    "1; select pg_sleep(5)",
    "\\'; select 1",
    "$$;select 1;$$",
    "%(id)s",
    ":id",
    "$1",
)
WILDCARDS = ("%", "_", "%%%%%%%%%%", "\\", "\\%", "a%' escape '", "[a-z]*", "*:*")
CONTROL = ("\r\nX-Injected: 1", "\t", "\x1b[31m", "\x08", "\x7f", "\x85", "\u2028", "\ufeff", "\u0000", "a\u0000b")
BIDI = ("\u202e\u6587\u4ef6.exe", "\u2066\u2069", "\u200b", "\u200f", "e\u0301" * 50, "Ｏ＇ｒ", "\ufffe", "\U0010ffff")
MARKUP = ("<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://127.0.0.1/a}", '#import "/etc/passwd"', "../../etc")
NUMBERS = ("-1", "1e309", "NaN", "9" * 400, "0x7f", "१२३", "𝟙", "١")
LONG = ("x" * 5000, "深" * 3000)

EVERYTHING = (*SQL, *WILDCARDS, *CONTROL, *BIDI, *MARKUP, *NUMBERS, *LONG)

# in a path: what a proxy and a service may read differently
PATHS = (
    "/citizen/api/orchestration/v1/..;/v1/filings",
    "/citizen/api/orchestration/v1/filings/%2e%2e/%2e%2e/metrics",
    "/citizen/api/orchestration/../workbench/metrics",
    "/citizen/api/orchestration/v1/filings/..%2f..%2f..%2fmetrics",
    "/citizen/api/orchestration/v1/filings/%252e%252e/metrics",
    "/citizen/api/orchestration//metrics",
    "/citizen/api/orchestration/metrics",
    "/citizen/api/orchestration/readyz",
    "/citizen/api/orchestration/openapi.json",
    "/citizen/api/orchestration/v1/filings%00",
    "/citizen/api/orchestration/v1/filings/%00",
    "/citizen/api/orchestration/v1/filings%0d%0aX-Injected:%201",
    "/citizen/api/orchestration/v1/filings\\..\\metrics",
    "/citizen/api/%6frchestration/v1/filings",
    "/citizen/api//orchestration/v1/filings",
    "//citizen/api/orchestration/v1/filings",
    "/citizen/../workbench/api/orchestration/v1/filings",
    "/citizen/api/orchestration/v1/filings/%ff%fe",
    "/citizen/api/orchestration/v1/%e0%80%ae%e0%80%ae/metrics",
    "/citizen/api/127.0.0.1:80/v1/x",
    "/citizen/api/orchestration@evil/v1/x",
    "/citizen/api/orchestration%23/v1/x",
    "/citizen/api/orchestration/v1?/../../metrics",
    "/pages/../../../../etc/passwd",
    "/pages/%2e%2e/%2e%2e/gateway/settings.py",
    "/citizen/auth/sessions/../login",
)
