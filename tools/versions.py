"""Versions that no package lock names. Standard library only: set-up runs before anything is installed."""

KEYCLOAK = "26.7.3"
KEYCLOAK_ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:zip"
KEYCLOAK_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
# what the distribution is built for once, so that starting it needs no build
KEYCLOAK_BUILD = ("--db=postgres", "--health-enabled=true", "--metrics-enabled=true")
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
