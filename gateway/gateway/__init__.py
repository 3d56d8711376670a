"""The front door (网关): the browsers' only relying party, the apps' bearer door, the way to the services."""
