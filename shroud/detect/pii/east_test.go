package pii

import (
	"strings"
	"testing"
)

func TestEasternNamesAndAddresses(t *testing.T) {
	for _, c := range []struct{ typ, text string }{
		{Person, "姓名:⟦陈晓东⟧,年龄:34"},
		{Person, "我叫⟦李娜⟧,住在上海。"},
		{Person, "我的名字是⟦欧阳文⟧。"},
		{Person, "请联系⟦张伟⟧先生处理。"},
		{Person, "⟦王⟧女士您好"},
		{Person, "联系人：⟦赵敏⟧"},
		{Person, "私の名前は⟦高橋美咲⟧です。"},
		{Person, "氏名：⟦田中 太郎⟧"},
		{Person, "⟦佐藤⟧さんに電話してください。"},
		{Person, "担当の⟦渡辺健一⟧様"},
		{Person, "이름: ⟦김민수⟧"},
		{Person, "제 이름은 ⟦박서연⟧입니다."},
		{Person, "어제 ⟦최지훈⟧씨가 왔다"},
		{Person, "⟦남궁민⟧ 씨를 만났다"},
		{Address, "地址:⟦北京市海淀区中关村大街27号5号楼302室⟧。"},
		{Address, "我住在⟦广州市天河区体育西路103号⟧,很近"},
		{Address, "住所は⟦東京都新宿区西新宿2-8-1⟧です。"},
		{Address, "⟦大阪府大阪市北区梅田3丁目1番1号⟧に送ってください"},
		{Address, "주소: ⟦서울특별시 강남구 테헤란로 152⟧"},
		{Address, "⟦경기도 성남시 분당구 판교로 235-7⟧ 근처"},
	} {
		want, text := marked(c.text)
		found := Find(text, Options{})
		ok := false
		for _, m := range found {
			ok = ok || m.Type == c.typ && text[m.Start:m.End] == want[0]
		}
		if !ok {
			t.Errorf("%s: %s", c.text, spans(text, found))
		}
	}
}

func TestEasternProseHoldsNobody(t *testing.T) {
	for _, text := range []string{
		"老师说今天没有课,先生们请坐。", "我是学生,喜欢高兴的事。", "金额为100元,路上有5号车。", "他在高速公路上开了3小时。", "王国的历史很长。", "联系人数量:20",
		"先生は来ません。お客様へのお知らせ。", "私は学生です。田中地区の工事。", "皆さん、お疲れ様です。", "東京都の人口は1400万人です。", "林道を歩く。名前は省略します。",
		"고객님께 안내드립니다. 선생님 감사합니다.", "저는 학생입니다. 이용자님 환영합니다.", "이것은 시험입니다. 정말 좋아요.", "나는 정말 이곳을 사랑해. 나는 지시를 따르고", "相手の王様を待つ。", "하루 3번 복용하세요. 서울로 2시간", "신청자님 확인 바랍니다.",
	} {
		for _, m := range Find(text, Options{}) {
			if m.Type == Person || m.Type == Address {
				t.Errorf("%s: %s %q", text, m.Type, text[m.Start:m.End])
			}
		}
	}
}

func spans(text string, found []Match) string {
	var out []string
	for _, m := range found {
		out = append(out, m.Type+" "+text[m.Start:m.End])
	}
	return strings.Join(out, "; ")
}
