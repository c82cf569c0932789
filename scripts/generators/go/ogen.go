package main

import (
	"context"
	"fmt"

	"gatehouse.example/client/ogen"
	"github.com/google/uuid"
	"github.com/ogen-go/ogen/ogenerrors"
)

// The client that ogen generates.
type ogenClient struct{ url string }

// What a request is sent with.
type sender struct {
	token  string
	client credentials
}

func (s sender) Bearer(context.Context, ogen.OperationName) (ogen.Bearer, error) {
	if s.token == "" {
		return ogen.Bearer{}, ogenerrors.ErrSkipClientSecurity
	}
	return ogen.Bearer{Token: s.token}, nil
}

func (s sender) ClientSecretBasic(context.Context, ogen.OperationName) (ogen.ClientSecretBasic, error) {
	return ogen.ClientSecretBasic{Username: s.client.id, Password: s.client.secret}, nil
}

func (s sender) Cookie(context.Context, ogen.OperationName) (ogen.Cookie, error) {
	return ogen.Cookie{}, ogenerrors.ErrSkipClientSecurity
}

func (c ogenClient) as(token string) *ogen.Client        { return c.with(sender{token: token}) }
func (c ogenClient) service(id credentials) *ogen.Client { return c.with(sender{client: id}) }

func (c ogenClient) with(sender sender) *ogen.Client {
	client, err := ogen.NewClient(c.url, sender)
	check(err == nil, "a client of ogen", err)
	return client
}

// One type of answer, of all that an operation may give.
func expect[T any](answer any, err error) (T, error) {
	expected, ok := answer.(T)
	if err == nil && !ok {
		err = fmt.Errorf("answer %T", answer)
	}
	return expected, err
}

func done[T any](answer any, err error) error {
	_, err = expect[T](answer, err)
	return err
}

func (c ogenClient) register(username, password string) error {
	body := &ogen.CreateUser{Username: username, Email: "ogen@example.com", Password: password}
	return done[*ogen.Message](c.as("").Register(background, body))
}

func (c ogenClient) login(username, password string) (tokens, error) {
	transport := ogen.NewOptLoginUserTransport(ogen.LoginUserTransportBearer)
	body := &ogen.LoginUser{Username: username, Password: password, Transport: transport}
	answer, err := c.as("").Login(background, body)
	token, err := expect[*ogen.Token](answer, err)
	if err != nil {
		return tokens{}, err
	}
	return tokens{token.AccessToken, token.RefreshToken.Value}, nil
}

func (c ogenClient) userID(token string) (int, error) {
	answer, err := c.as(token).GetMe(background)
	me, err := expect[*ogen.UserResponse](answer, err)
	if err != nil {
		return 0, err
	}
	return me.ID, nil
}

func (c ogenClient) currentSession(token string) (string, error) {
	answer, err := c.as(token).ListSessions(background)
	list, err := expect[*ogen.SessionList](answer, err)
	if err != nil {
		return "", err
	}
	for _, session := range list.Items {
		if session.Current {
			return session.ID.String(), nil
		}
	}
	return "", fmt.Errorf("no session is the current one")
}

func (c ogenClient) isGood(token string) (bool, error) {
	answer, err := c.as(token).Authorize(background)
	if problem, isProblem := answer.(*ogen.Problem); err == nil && isProblem && problem.Status == 401 {
		return false, nil
	}
	err = done[*ogen.AuthorizeNoContent](answer, err)
	return err == nil, err
}

func (c ogenClient) logout(token, refreshToken string) error {
	body := ogen.OptLogoutUser{}
	if refreshToken != "" {
		body = ogen.NewOptLogoutUser(ogen.LogoutUser{RefreshToken: ogen.NewOptString(refreshToken)})
	}
	return done[*ogen.Message](c.as(token).Logout(background, body))
}

func (c ogenClient) endSession(token, id string) error {
	params := ogen.EndSessionParams{ID: uuid.MustParse(id)}
	return done[*ogen.EndSessionNoContent](c.as(token).EndSession(background, params))
}

func (c ogenClient) endOtherSessions(token string) error {
	return done[*ogen.EndOtherSessionsNoContent](c.as(token).EndOtherSessions(background))
}

func (c ogenClient) changePassword(token, old, new string) error {
	body := &ogen.ChangePassword{CurrentPassword: old, NewPassword: new}
	return done[*ogen.Token](c.as(token).ChangePassword(background, body))
}

func (c ogenClient) deleteMe(token, password string) error {
	return done[*ogen.DeleteMeNoContent](c.as(token).DeleteMe(background, &ogen.DeleteUser{Password: password}))
}

func (c ogenClient) endUserSessions(admin string, user int) error {
	params := ogen.EndUserSessionsParams{ID: user}
	return done[*ogen.EndUserSessionsNoContent](c.as(admin).EndUserSessions(background, params))
}

func (c ogenClient) revokeSessions(admin string, user int) error {
	return done[*ogen.Revoked](c.as(admin).RevokeSessions(background, &ogen.RevokeSessions{UserIds: []int{user}}))
}

func (c ogenClient) disableUser(admin string, user int, isDisabled bool) error {
	body := &ogen.AdminUpdateUser{IsDisabled: ogen.NewOptBool(isDisabled)}
	return done[*ogen.AdminUserResponse](c.as(admin).UpdateUser(background, body, ogen.UpdateUserParams{ID: user}))
}

func (c ogenClient) deleteUser(admin string, user int) error {
	return done[*ogen.DeleteUserNoContent](c.as(admin).DeleteUser(background, ogen.DeleteUserParams{ID: user}))
}

func (c ogenClient) createClient(admin, name string) (credentials, error) {
	answer, err := c.as(admin).CreateServiceClient(background, &ogen.CreateServiceClient{Name: name})
	created, err := expect[*ogen.CreatedServiceClient](answer, err)
	if err != nil {
		return credentials{}, err
	}
	return credentials{created.ID.String(), created.ClientSecret, created.Secrets[0].ID.String()}, nil
}

func (c ogenClient) addSecret(admin string, client credentials) (credentials, error) {
	params := ogen.CreateServiceClientSecretParams{ID: uuid.MustParse(client.id)}
	answer, err := c.as(admin).CreateServiceClientSecret(background, params)
	created, err := expect[*ogen.CreatedClientSecret](answer, err)
	if err != nil {
		return credentials{}, err
	}
	return credentials{client.id, created.ClientSecret, created.ID.String()}, nil
}

func (c ogenClient) clientToken(client credentials) (string, error) {
	body := &ogen.ClientTokenRequest{GrantType: "client_credentials"}
	answer, err := c.service(client).IssueClientToken(background, body)
	if _, isRefused := answer.(*ogen.IssueClientTokenUnauthorized); err == nil && isRefused {
		return "", errRefused
	}
	token, err := expect[*ogen.ClientToken](answer, err)
	if err != nil {
		return "", err
	}
	return token.AccessToken, nil
}

func (c ogenClient) revokeToken(client credentials, token string) error {
	return done[*ogen.RevokeTokenOK](c.service(client).RevokeToken(background, &ogen.RevocationRequest{Token: token}))
}

func (c ogenClient) endSecret(admin string, client credentials) error {
	params := ogen.EndServiceClientSecretParams{ID: uuid.MustParse(client.id), SecretID: uuid.MustParse(client.secretID)}
	return done[*ogen.EndServiceClientSecretNoContent](c.as(admin).EndServiceClientSecret(background, params))
}

func (c ogenClient) disableClient(admin string, client credentials, isDisabled bool) error {
	body := &ogen.UpdateServiceClient{IsDisabled: ogen.NewOptBool(isDisabled)}
	params := ogen.UpdateServiceClientParams{ID: uuid.MustParse(client.id)}
	return done[*ogen.ServiceClient](c.as(admin).UpdateServiceClient(background, body, params))
}

func (c ogenClient) deleteClient(admin string, client credentials) error {
	params := ogen.DeleteServiceClientParams{ID: uuid.MustParse(client.id)}
	return done[*ogen.DeleteServiceClientNoContent](c.as(admin).DeleteServiceClient(background, params))
}
