"""What the provider says in its tokens beside the subject."""

from __future__ import annotations

from oauth2_provider.oauth2_validators import OAuth2Validator


class Validator(OAuth2Validator):
    """Vouches for a second factor of people whose name says so."""

    oidc_claim_scope = None  # every claim goes out with the scope openid

    def get_additional_claims(self, request):
        """Give ``amr`` as providers with a second factor do."""
        if request.user.username.endswith("-mfa"):
            return {"amr": ["pwd", "otp", "mfa"]}
        return {"amr": ["pwd"]}
